// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ISettlement} from "./ISettlement.sol";
import {JobEscrow} from "./JobEscrow.sol";
import {PayoutTree} from "./PayoutTree.sol";

/// @title Who is paid what for a job, once
/// @notice One accumulator, `paid[job][node]`, stands behind both ways to money: a claim out of the operator's batch and the
/// redemption of a receipt without the operator. Both pay `cumulative - paid`. Signatures are EIP-712 over this chain and this contract.
contract Settlement is ISettlement, Ownable2Step, Pausable, EIP712 {
    /// @notice What a node has earned in a job so far. Signed by the node and by the studio's session key.
    /// @param sequence Rises with every receipt of a (job, node).
    /// @param cumulative Base units since the job began, the operator's fee included.
    /// @param unitsRoot Merkle root of all units covered.
    /// @param count Number of units covered.
    struct Receipt {
        bytes32 job;
        address node;
        uint64 sequence;
        uint128 cumulative;
        bytes32 unitsRoot;
        uint32 count;
    }

    /// @notice What a batch says a node has earned in the job in all, earlier payments included.
    struct Payout {
        address node;
        uint128 total;
    }

    /// @notice The one batch of a job.
    /// @param linesRoot Merkle root of the invoice's lines.
    /// @param payoutRoot Merkle root of the payouts, computed here.
    /// @param total Sum of the payouts.
    /// @param finalAt Unix second from which it pays; zero where there is no batch.
    /// @param contested The studio refused it; only a countersigned one can take its place.
    struct Batch {
        bytes32 linesRoot;
        bytes32 payoutRoot;
        uint128 total;
        uint64 finalAt;
        uint32 lineCount;
        bool countersigned;
        bool contested;
    }

    /// @dev One slot a (job, node).
    struct Account {
        uint128 paid;
        uint64 sequence;
        bool claimed;
    }

    /// @notice Longest list of nodes in one batch; its posting stays under 2^24 gas.
    uint256 public constant MAX_PAYOUTS = 1000;
    /// @notice Highest fee, in ten-thousandths.
    uint16 public constant MAX_FEE_BPS = 1000;

    bytes32 public constant QUOTE_TYPEHASH = keccak256(
        "Quote(bytes32 job,address studio,uint128 price,uint128 suggestedCap,uint128 pricePerFbh,uint64 validUntil)"
    );
    bytes32 public constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 job,address node,uint64 sequence,uint128 cumulative,bytes32 unitsRoot,uint32 count)"
    );
    bytes32 public constant PAYOUT_TYPEHASH = keccak256("Payout(address node,uint128 total)");
    bytes32 public constant BATCH_TYPEHASH = keccak256(
        "Batch(bytes32 job,bytes32 linesRoot,uint128 total,uint32 lineCount,Payout[] payouts)Payout(address node,uint128 total)"
    );

    JobEscrow public immutable ESCROW;
    /// @notice Seconds for which a batch without countersignature can be contested.
    uint64 public immutable CHALLENGE_WINDOW;
    /// @notice Seconds between a batch's end and the studio's refund, in which nodes with newer receipts can redeem them.
    uint64 public immutable REFUND_DELAY;
    /// @notice The operator's share of every payment, in ten-thousandths, rounded up on the cumulative sum.
    uint16 public immutable FEE_BPS;

    /// @notice The only account that posts batches.
    address public operator;
    /// @inheritdoc ISettlement
    address public treasury;

    mapping(bytes32 job => Batch) private _batches;
    mapping(bytes32 job => mapping(address node => Account)) private _accounts;

    event OperatorChanged(address indexed operator);
    event TreasuryChanged(address indexed treasury);
    event BatchPosted(
        bytes32 indexed job,
        bytes32 indexed linesRoot,
        bytes32 payoutRoot,
        uint256 total,
        uint256 lineCount,
        bool countersigned,
        uint256 finalAt
    );
    /// @notice One leaf of the payout tree: `total - before` is frozen for the node.
    event Allotted(bytes32 indexed job, address indexed node, uint256 before, uint256 total);
    event BatchContested(bytes32 indexed job, address indexed by);
    event Claimed(bytes32 indexed job, address indexed node, uint256 total, uint256 amount);
    event Redeemed(
        bytes32 indexed job,
        address indexed node,
        uint256 sequence,
        uint256 cumulative,
        bytes32 unitsRoot,
        uint256 count,
        uint256 amount
    );

    error AddressZero();
    error QuoteExpired(bytes32 job, uint256 validUntil, uint256 time);
    error EscrowMismatch(address escrow, address settlement);
    error FeeTooHigh(uint256 bps, uint256 highest);
    error NotOperator(address caller, address operator);
    error BatchExists(bytes32 job);
    error BatchUnknown(bytes32 job);
    error BatchFinal(bytes32 job, uint256 finalAt, uint256 time);
    error BatchOpen(bytes32 job, uint256 finalAt, uint256 time);
    error BatchWasContested(bytes32 job);
    error BatchLate(bytes32 job, uint256 latest, uint256 time);
    error BatchShape(uint256 lineCount, uint256 payouts, bytes32 linesRoot);
    error TooManyPayouts(uint256 count, uint256 highest);
    error PayoutsUnsorted(address previous, address node);
    error PayoutBelowPaid(address node, uint256 total, uint256 paid);
    error TotalMismatch(uint256 sum, uint256 total);
    error Uncountersigned(bytes32 job, uint256 amount, uint256 highest);
    error NotContester(address caller);
    error SignatureInvalid(address signer);
    error ProofInvalid(bytes32 job, address node, uint256 total);
    error AlreadyClaimed(bytes32 job, address node);
    error ReceiptExpired(bytes32 job, uint256 expiry, uint256 time);
    error ReceiptStale(bytes32 job, address node, uint256 sequence, uint256 newest);
    error NothingDue(bytes32 job, address node, uint256 cumulative, uint256 paid);

    /// @param escrow Escrow that was deployed for exactly this address.
    /// @param owner Account that names operator and treasury, and pauses. It cannot touch money.
    /// @param feeBps Operator's share of payments, at most `MAX_FEE_BPS`.
    constructor(
        JobEscrow escrow,
        address owner,
        address firstOperator,
        address firstTreasury,
        uint64 challengeWindow,
        uint64 refundDelay,
        uint16 feeBps
    ) Ownable(owner) EIP712("Framewright", "1") {
        address bound = address(escrow.SETTLEMENT());
        require(bound == address(this), EscrowMismatch(address(escrow), bound));
        require(feeBps <= MAX_FEE_BPS, FeeTooHigh(feeBps, MAX_FEE_BPS));
        ESCROW = escrow;
        CHALLENGE_WINDOW = challengeWindow;
        REFUND_DELAY = refundDelay;
        FEE_BPS = feeBps;
        _setOperator(firstOperator);
        _setTreasury(firstTreasury);
    }

    /// @notice Base units paid so far to a node for a job, the fee included.
    function paid(bytes32 job, address node) external view returns (uint256) {
        return _accounts[job][node].paid;
    }

    /// @notice All that is kept of a (job, node): sum paid, newest redeemed sequence, whether its payout was claimed.
    function getAccount(bytes32 job, address node) external view returns (Account memory) {
        return _accounts[job][node];
    }

    /// @notice The batch of a job; `finalAt` is zero where there is none.
    function getBatch(bytes32 job) external view returns (Batch memory) {
        return _batches[job];
    }

    /// @notice The EIP-712 digest that the operator signs to offer a job.
    function quoteDigest(Quote calldata quote) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    QUOTE_TYPEHASH,
                    quote.job,
                    quote.studio,
                    quote.price,
                    quote.suggestedCap,
                    quote.pricePerFbh,
                    quote.validUntil
                )
            )
        );
    }

    /// @inheritdoc ISettlement
    function acceptedQuote(Quote calldata quote, bytes calldata signature) external view returns (bytes32 digest) {
        require(
            block.timestamp <= quote.validUntil, QuoteExpired(quote.job, quote.validUntil, block.timestamp)
        );
        digest = quoteDigest(quote);
        _requireSignature(operator, digest, signature);
    }

    /// @notice The EIP-712 digest that node and session key sign.
    function receiptDigest(Receipt calldata receipt) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    RECEIPT_TYPEHASH,
                    receipt.job,
                    receipt.node,
                    receipt.sequence,
                    receipt.cumulative,
                    receipt.unitsRoot,
                    receipt.count
                )
            )
        );
    }

    /// @notice The EIP-712 digest that the session key signs to accept a batch.
    function batchDigest(bytes32 job, bytes32 linesRoot, uint128 total, uint32 lineCount, Payout[] calldata payouts)
        public
        view
        returns (bytes32)
    {
        bytes32[] memory hashes = new bytes32[](payouts.length);
        for (uint256 i = 0; i < payouts.length; ++i) {
            hashes[i] = keccak256(abi.encode(PAYOUT_TYPEHASH, payouts[i].node, payouts[i].total));
        }
        bytes32 payoutsHash = keccak256(abi.encodePacked(hashes));
        return _hashTypedDataV4(keccak256(abi.encode(BATCH_TYPEHASH, job, linesRoot, total, lineCount, payoutsHash)));
    }

    /// @notice Whether an invoice line is in the job's batch.
    /// @param proof Merkle proof of `@openzeppelin/merkle-tree`'s StandardMerkleTree.
    function verifyLine(
        bytes32 job,
        uint32 index,
        address node,
        uint128 amount,
        bytes32 unitsRoot,
        bytes32 salt,
        bytes32[] calldata proof
    ) external view returns (bool) {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(job, index, node, amount, unitsRoot, salt))));
        Batch storage batch = _batches[job];
        return batch.lineCount > 0 && !batch.contested && MerkleProof.verifyCalldata(proof, batch.linesRoot, leaf);
    }

    /// @notice Post the one batch of a job. What it promises and was not paid yet is frozen for the nodes, the rest of the escrow becomes refundable.
    /// With the session key's signature it pays at once, at any time before the studio took its money back. Without, it pays
    /// after the challenge window, takes at most the deposit's `maxUncountersigned`, and must come two windows before the
    /// expiry, so that a node whose batch is contested still has one window to redeem its receipt.
    /// @param payouts Each node once, addresses rising. None for a job in which nothing was rendered.
    /// @param countersignature Of `batchDigest`, or empty.
    function postBatch(
        bytes32 job,
        bytes32 linesRoot,
        uint128 total,
        uint32 lineCount,
        Payout[] calldata payouts,
        bytes calldata countersignature
    ) external whenNotPaused {
        require(msg.sender == operator, NotOperator(msg.sender, operator));
        JobEscrow.Job memory account = ESCROW.getJob(job);
        bool countersigned = countersignature.length > 0;
        _requirePlace(job, countersigned);
        require(payouts.length <= MAX_PAYOUTS, TooManyPayouts(payouts.length, MAX_PAYOUTS));
        require(
            (lineCount == 0) == (payouts.length == 0) && (lineCount == 0) == (linesRoot == 0),
            BatchShape(lineCount, payouts.length, linesRoot)
        );
        if (countersigned) {
            bytes32 digest = batchDigest(job, linesRoot, total, lineCount, payouts);
            _requireSignature(account.sessionKey, digest, countersignature);
        }
        (bytes32 payoutRoot, uint256 frozen) = _allot(job, total, payouts);
        uint64 finalAt = uint64(block.timestamp);
        if (!countersigned) {
            require(frozen <= account.maxUncountersigned, Uncountersigned(job, frozen, account.maxUncountersigned));
            uint256 latest = account.expiry > 2 * CHALLENGE_WINDOW ? account.expiry - 2 * CHALLENGE_WINDOW : 0;
            require(block.timestamp <= latest, BatchLate(job, latest, block.timestamp));
            finalAt += CHALLENGE_WINDOW;
        }
        _batches[job] = Batch({
            linesRoot: linesRoot,
            payoutRoot: payoutRoot,
            total: total,
            finalAt: finalAt,
            lineCount: lineCount,
            countersigned: countersigned,
            contested: false
        });
        emit BatchPosted(job, linesRoot, payoutRoot, total, lineCount, countersigned, finalAt);
        ESCROW.freeze(job, uint128(frozen), finalAt + REFUND_DELAY);
    }

    /// @notice Refuse a batch that the session key did not sign, within its window. Only the studio or its session key.
    /// Nodes keep their receipts; only a countersigned batch can follow.
    function contest(bytes32 job) external {
        JobEscrow.Job memory account = ESCROW.getJob(job);
        require(msg.sender == account.studio || msg.sender == account.sessionKey, NotContester(msg.sender));
        Batch storage batch = _standing(job);
        require(block.timestamp < batch.finalAt, BatchFinal(job, batch.finalAt, block.timestamp));
        batch.contested = true;
        emit BatchContested(job, msg.sender);
        ESCROW.unfreeze(job);
    }

    /// @notice Pay a node what the final batch gives it and was not paid yet. Anybody may call it; works while paused.
    /// @param before What had been paid when the batch was posted, as the `Allotted` event says.
    /// @param proof Merkle proof of (job, node, before, total) in the payout tree.
    /// @return amount Base units debited; zero where the node's receipts have paid as much already.
    function claim(bytes32 job, address node, uint128 before, uint128 total, bytes32[] calldata proof)
        external
        returns (uint128 amount)
    {
        Batch storage batch = _standing(job);
        require(block.timestamp >= batch.finalAt, BatchOpen(job, batch.finalAt, block.timestamp));
        Account storage account = _accounts[job][node];
        require(!account.claimed, AlreadyClaimed(job, node));
        bytes32 leaf = PayoutTree.leaf(job, node, before, total);
        require(MerkleProof.verifyCalldata(proof, batch.payoutRoot, leaf), ProofInvalid(job, node, total));
        account.claimed = true;
        amount = total > account.paid ? total - account.paid : 0;
        emit Claimed(job, node, total, amount);
        _pay(job, node, account, amount, total - before);
    }

    /// @notice Pay a node what its newest receipt says and was not paid yet, without the operator. Anybody may call it, up to
    /// the job's expiry; works while paused. It takes from what is free: where a batch has frozen the node's share, claim that first.
    function redeem(Receipt calldata receipt, bytes calldata nodeSignature, bytes calldata studioSignature)
        external
        returns (uint128 amount)
    {
        JobEscrow.Job memory job = ESCROW.getJob(receipt.job);
        require(block.timestamp <= job.expiry, ReceiptExpired(receipt.job, job.expiry, block.timestamp));
        Account storage account = _accounts[receipt.job][receipt.node];
        require(
            receipt.sequence > account.sequence,
            ReceiptStale(receipt.job, receipt.node, receipt.sequence, account.sequence)
        );
        require(
            receipt.cumulative > account.paid,
            NothingDue(receipt.job, receipt.node, receipt.cumulative, account.paid)
        );
        bytes32 digest = receiptDigest(receipt);
        _requireSignature(receipt.node, digest, nodeSignature);
        _requireSignature(job.sessionKey, digest, studioSignature);
        account.sequence = receipt.sequence;
        amount = receipt.cumulative - account.paid;
        emit Redeemed(
            receipt.job,
            receipt.node,
            receipt.sequence,
            receipt.cumulative,
            receipt.unitsRoot,
            receipt.count,
            amount
        );
        _pay(receipt.job, receipt.node, account, amount, 0);
    }

    /// @notice Name another operator.
    function setOperator(address next) external onlyOwner {
        _setOperator(next);
    }

    /// @notice Name another account for the fees.
    function setTreasury(address next) external onlyOwner {
        _setTreasury(next);
    }

    /// @notice Stop new deposits and new batches. Claims, redemptions, contests and refunds go on.
    function pause() external onlyOwner {
        _pause();
    }

    /// @notice Undo `pause`.
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @inheritdoc ISettlement
    function paused() public view override(ISettlement, Pausable) returns (bool) {
        return super.paused();
    }

    /// @dev The fee is rounded up on the cumulative sum: it does not depend on how often a node collects, and rounding never favours the payee.
    function _pay(bytes32 job, address node, Account storage account, uint128 amount, uint128 thawed) private {
        uint128 sum = account.paid + amount;
        uint128 fee = _feeOn(sum) - _feeOn(account.paid);
        account.paid = sum;
        ESCROW.pay(job, node, amount, fee, thawed);
    }

    /// @dev Checks the payouts against the accumulator and the total, and builds their tree.
    function _allot(bytes32 job, uint128 total, Payout[] calldata payouts)
        private
        returns (bytes32 payoutRoot, uint256 frozen)
    {
        bytes32[] memory leaves = new bytes32[](payouts.length);
        uint256 sum = 0;
        address previous = address(0);
        for (uint256 i = 0; i < payouts.length; ++i) {
            address node = payouts[i].node;
            uint128 share = payouts[i].total;
            require(node > previous, PayoutsUnsorted(previous, node));
            previous = node;
            uint128 before = _accounts[job][node].paid;
            require(share >= before, PayoutBelowPaid(node, share, before));
            sum += share;
            frozen += share - before;
            leaves[i] = PayoutTree.leaf(job, node, before, share);
            emit Allotted(job, node, before, share);
        }
        require(sum == total, TotalMismatch(sum, total));
        payoutRoot = PayoutTree.root(leaves);
    }

    function _requirePlace(bytes32 job, bool countersigned) private view {
        Batch storage batch = _batches[job];
        if (batch.finalAt == 0) return;
        require(batch.contested, BatchExists(job));
        require(countersigned, BatchWasContested(job));
    }

    function _standing(bytes32 job) private view returns (Batch storage batch) {
        batch = _batches[job];
        require(batch.finalAt != 0, BatchUnknown(job));
        require(!batch.contested, BatchWasContested(job));
    }

    function _requireSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        require(SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature), SignatureInvalid(signer));
    }

    /// @dev At most a tenth of `sum`, rounded up, so it fits where `sum` does.
    function _feeOn(uint128 sum) private view returns (uint128) {
        return uint128((uint256(sum) * FEE_BPS + 9_999) / 10_000);
    }

    function _setOperator(address next) private {
        require(next != address(0), AddressZero());
        operator = next;
        emit OperatorChanged(next);
    }

    function _setTreasury(address next) private {
        require(next != address(0), AddressZero());
        treasury = next;
        emit TreasuryChanged(next);
    }
}
