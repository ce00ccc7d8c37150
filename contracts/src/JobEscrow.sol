// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ISettlement} from "./ISettlement.sol";

/// @title Escrow of every job's cap
/// @notice Holds all CMP of the system. For each job, at any time:
/// `deposited = spent + refunded + frozen + free`, and the token balance is the sum of `frozen + free` over all jobs plus `fees`.
/// Only the one settlement contract, fixed at deployment, can spend; only the studio is refunded. There is no owner and no proxy.
contract JobEscrow is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice What a studio agrees to when it pays in.
    /// @param amount The cap, in base units: all that the job can ever cost.
    /// @param sessionKey Key that countersigns receipts and batches for the studio. It cannot be changed, since a change would void receipts that nodes hold.
    /// @param maxUncountersigned Largest sum that a batch may take without the session key's signature.
    /// @param expiry Unix second after which no receipt counts.
    struct Terms {
        uint128 amount;
        address sessionKey;
        uint128 maxUncountersigned;
        uint64 expiry;
    }

    /// @notice The account of one job. Amounts in base units, times in Unix seconds.
    /// @param batchRefundAt When the batch lets the studio take back what is free; zero while no batch stands.
    /// @param frozen Promised to nodes by a posted batch and not paid yet.
    struct Job {
        address studio;
        uint64 expiry;
        address sessionKey;
        uint64 batchRefundAt;
        uint128 deposited;
        uint128 spent;
        uint128 refunded;
        uint128 frozen;
        uint128 maxUncountersigned;
    }

    /// @notice Longest time between a deposit and its expiry.
    uint64 public constant MAX_TERM = 366 days;

    IERC20 public immutable TOKEN;
    ISettlement public immutable SETTLEMENT;
    /// @notice Seconds after the expiry from which the studio can take its money back without anybody's help.
    uint64 public immutable GRACE;

    /// @notice Operator's fees that were earned and not withdrawn yet, in base units.
    uint256 public fees;

    mapping(bytes32 job => Job) private _jobs;

    event Deposited(
        bytes32 indexed job,
        address indexed studio,
        uint256 amount,
        address sessionKey,
        uint256 maxUncountersigned,
        uint256 expiry,
        bytes32 quoteHash
    );
    event ToppedUp(bytes32 indexed job, address indexed from, uint256 amount, uint256 deposited);
    event Extended(bytes32 indexed job, uint256 expiry);
    event Frozen(bytes32 indexed job, uint256 amount, uint256 batchRefundAt);
    /// @notice Frozen money that is free again, without having been paid.
    event Released(bytes32 indexed job, uint256 amount);
    /// @notice `amount` left the job: `amount - fee` to the node, `fee` to the fees. `thawed` of it had been frozen.
    event Paid(bytes32 indexed job, address indexed node, uint256 amount, uint256 fee, uint256 thawed);
    event Refunded(bytes32 indexed job, address indexed studio, uint256 amount);
    event FeesWithdrawn(address indexed treasury, uint256 amount);

    error NotSettlement(address caller);
    error NotStudio(address caller, address studio);
    error DepositsPaused();
    error JobExists(bytes32 job);
    error JobUnknown(bytes32 job);
    error JobExpired(bytes32 job, uint256 expiry, uint256 time);
    error ExpiryOutOfRange(uint256 expiry, uint256 earliest, uint256 latest);
    error AmountZero();
    error SessionKeyZero();
    error EscrowExhausted(bytes32 job, uint256 wanted, uint256 free);
    error RefundTooEarly(bytes32 job, uint256 opensAt, uint256 time);
    error NothingToRefund(bytes32 job);

    modifier onlySettlement() {
        require(msg.sender == address(SETTLEMENT), NotSettlement(msg.sender));
        _;
    }

    /// @param token The CMP token.
    /// @param settlement Address at which the settlement is (or is about to be) deployed.
    /// @param grace Seconds between a job's expiry and the studio's own refund.
    constructor(IERC20 token, ISettlement settlement, uint64 grace) {
        TOKEN = token;
        SETTLEMENT = settlement;
        GRACE = grace;
    }

    /// @notice The account of a job.
    /// @dev Reverts with `JobUnknown` where nothing was ever deposited.
    function getJob(bytes32 job) external view returns (Job memory) {
        return _known(job);
    }

    /// @notice What of a job's escrow is neither spent, refunded nor promised.
    function free(bytes32 job) external view returns (uint256) {
        return _free(_known(job));
    }

    /// @notice Pay in the cap of a job. The caller is the quote's studio and must have approved `terms.amount`.
    /// @param quote The farm's offer, which this deposit accepts.
    /// @param quoteSignature The operator's signature of it.
    function deposit(ISettlement.Quote calldata quote, bytes calldata quoteSignature, Terms calldata terms)
        external
        nonReentrant
    {
        _deposit(quote, quoteSignature, terms);
    }

    /// @notice The same in one transaction, with an ERC-2612 permit of the caller for exactly `terms.amount`.
    function depositWithPermit(
        ISettlement.Quote calldata quote,
        bytes calldata quoteSignature,
        Terms calldata terms,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        _permit(terms.amount, deadline, v, r, s);
        _deposit(quote, quoteSignature, terms);
    }

    /// @notice Raise the cap of a job. Anybody may pay; what stays over goes to the studio.
    function topUp(bytes32 job, uint128 amount) external nonReentrant {
        _topUp(job, amount);
    }

    /// @notice The same in one transaction, with an ERC-2612 permit of the caller for exactly `amount`.
    function topUpWithPermit(bytes32 job, uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
    {
        _permit(amount, deadline, v, r, s);
        _topUp(job, amount);
    }

    /// @notice Move a job's expiry further away. Only its studio, only before it expired, never nearer.
    function extend(bytes32 job, uint64 expiry) external {
        Job storage account = _known(job);
        require(msg.sender == account.studio, NotStudio(msg.sender, account.studio));
        _requireLive(job, account);
        uint256 latest = block.timestamp + MAX_TERM;
        require(expiry > account.expiry && expiry <= latest, ExpiryOutOfRange(expiry, account.expiry + 1, latest));
        account.expiry = expiry;
        emit Extended(job, expiry);
    }

    /// @notice Give the studio back what is free: at once when the batch's time is over, else a grace period after the expiry.
    /// Anybody may call it, the money goes to the studio. Works while paused. May be called again when more becomes free.
    function refund(bytes32 job) external nonReentrant returns (uint256 amount) {
        Job storage account = _known(job);
        uint256 opensAt = refundOpensAt(job);
        require(block.timestamp >= opensAt, RefundTooEarly(job, opensAt, block.timestamp));
        amount = _free(account);
        require(amount > 0, NothingToRefund(job));
        account.refunded += uint128(amount);
        emit Refunded(job, account.studio, amount);
        TOKEN.safeTransfer(account.studio, amount);
    }

    /// @notice When the studio's refund opens: the batch's time or a grace period after the expiry, whichever comes first.
    function refundOpensAt(bytes32 job) public view returns (uint256) {
        Job storage account = _known(job);
        uint256 byBatch = account.batchRefundAt;
        uint256 byExpiry = uint256(account.expiry) + GRACE;
        return byBatch != 0 && byBatch < byExpiry ? byBatch : byExpiry;
    }

    /// @notice Bring the operator's fees to the treasury. Anybody may call it.
    function withdrawFees() external nonReentrant returns (uint256 amount) {
        amount = fees;
        fees = 0;
        address treasury = SETTLEMENT.treasury();
        emit FeesWithdrawn(treasury, amount);
        TOKEN.safeTransfer(treasury, amount);
    }

    /// @notice A batch was posted: keep `amount` for its nodes.
    /// @param opensAt When the rest may go back to the studio.
    function freeze(bytes32 job, uint128 amount, uint64 opensAt) external onlySettlement {
        Job storage account = _known(job);
        uint256 available = _free(account);
        require(amount <= available, EscrowExhausted(job, amount, available));
        account.frozen += amount;
        account.batchRefundAt = opensAt;
        emit Frozen(job, amount, opensAt);
    }

    /// @notice A batch was contested: all that it had frozen is free again, and the refund waits for the expiry.
    function unfreeze(bytes32 job) external onlySettlement {
        Job storage account = _known(job);
        uint128 amount = account.frozen;
        account.frozen = 0;
        account.batchRefundAt = 0;
        emit Released(job, amount);
    }

    /// @notice Pay a node out of a job.
    /// @param amount What the job is debited; zero when a claim only releases.
    /// @param fee Part of `amount` that is the operator's.
    /// @param thawed Frozen money that this payment uses up or, as far as it exceeds `amount`, releases.
    function pay(bytes32 job, address node, uint128 amount, uint128 fee, uint128 thawed)
        external
        onlySettlement
        nonReentrant
    {
        Job storage account = _known(job);
        account.frozen -= thawed;
        uint256 available = _free(account);
        require(amount <= available, EscrowExhausted(job, amount, available));
        account.spent += amount;
        fees += fee;
        if (thawed > amount) emit Released(job, thawed - amount);
        if (amount == 0) return;
        emit Paid(job, node, amount, fee, thawed > amount ? amount : thawed);
        TOKEN.safeTransfer(node, amount - fee);
    }

    function _deposit(ISettlement.Quote calldata quote, bytes calldata quoteSignature, Terms calldata terms) private {
        require(!SETTLEMENT.paused(), DepositsPaused());
        require(msg.sender == quote.studio, NotStudio(msg.sender, quote.studio));
        bytes32 quoteHash = SETTLEMENT.acceptedQuote(quote, quoteSignature);
        require(terms.amount > 0, AmountZero());
        require(terms.sessionKey != address(0), SessionKeyZero());
        uint256 latest = block.timestamp + MAX_TERM;
        require(
            terms.expiry > block.timestamp && terms.expiry <= latest,
            ExpiryOutOfRange(terms.expiry, block.timestamp + 1, latest)
        );
        Job storage account = _jobs[quote.job];
        require(account.studio == address(0), JobExists(quote.job));
        account.studio = msg.sender;
        account.expiry = terms.expiry;
        account.sessionKey = terms.sessionKey;
        account.deposited = terms.amount;
        account.maxUncountersigned = terms.maxUncountersigned;
        emit Deposited(
            quote.job,
            msg.sender,
            terms.amount,
            terms.sessionKey,
            terms.maxUncountersigned,
            terms.expiry,
            quoteHash
        );
        TOKEN.safeTransferFrom(msg.sender, address(this), terms.amount);
    }

    function _topUp(bytes32 job, uint128 amount) private {
        require(!SETTLEMENT.paused(), DepositsPaused());
        require(amount > 0, AmountZero());
        Job storage account = _known(job);
        _requireLive(job, account);
        account.deposited += amount;
        emit ToppedUp(job, msg.sender, amount, account.deposited);
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @dev A permit that somebody else already sent leaves the allowance in place, so its failure alone is no reason to stop.
    function _permit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) private {
        try IERC20Permit(address(TOKEN)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
    }

    function _requireLive(bytes32 job, Job storage account) private view {
        require(block.timestamp <= account.expiry, JobExpired(job, account.expiry, block.timestamp));
    }

    function _known(bytes32 job) private view returns (Job storage account) {
        account = _jobs[job];
        require(account.studio != address(0), JobUnknown(job));
    }

    function _free(Job storage account) private view returns (uint256) {
        return uint256(account.deposited) - account.spent - account.refunded - account.frozen;
    }
}
