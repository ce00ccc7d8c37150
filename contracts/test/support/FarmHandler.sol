// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CMPToken} from "../../src/CMPToken.sol";
import {ISettlement} from "../../src/ISettlement.sol";
import {JobEscrow} from "../../src/JobEscrow.sol";
import {Settlement} from "../../src/Settlement.sol";
import {FarmFixture} from "./FarmFixture.sol";

/// @title Everything that anybody can do, in any order, on a few jobs and nodes
/// @dev Each action may be refused by the contracts; what went through is counted, so that a campaign in which nothing happens fails.
contract FarmHandler is FarmFixture {
    uint256 public constant JOBS = 3;
    uint256 public constant NODES = 3;

    struct Posted {
        address[] nodes;
        uint128[] totals;
        uint128[] before;
    }

    uint256 public depositedInAll;
    uint256 public refundedInAll;
    uint256 public feesWithdrawn;
    mapping(string action => uint256) public done;
    mapping(bytes32 job => Posted) private _posted;
    mapping(bytes32 job => mapping(address node => uint256)) public highestPaid;
    mapping(bytes32 job => mapping(address node => uint256)) public highestSequence;
    /// @notice The largest cumulative sum that a redeemed receipt or a claimed payout named.
    mapping(bytes32 job => mapping(address node => uint256)) public highestDue;

    constructor() {
        deployFarm(250);
    }

    function contracts() external view returns (CMPToken, JobEscrow, Settlement) {
        return (token, escrow, settlement);
    }

    function jobAt(uint256 index) public pure returns (bytes32) {
        return bytes32(uint256(1000 + index % JOBS));
    }

    function nodeAt(uint256 index) public pure returns (address) {
        return node(index % NODES);
    }

    function studioAddress() external view returns (address) {
        return studio;
    }

    function treasuryAddress() external view returns (address) {
        return treasury;
    }

    function deposit(uint256 index, uint128 amount, uint128 uncountersigned) external {
        ISettlement.Quote memory offer = quote();
        offer.job = jobAt(index);
        bytes memory signed = signQuote(offer);
        JobEscrow.Terms memory agreed = terms();
        agreed.amount = uint128(bound(amount, 1, CAP));
        agreed.maxUncountersigned = uint128(bound(uncountersigned, 0, CAP));
        agreed.expiry = uint64(block.timestamp + 30 days);
        vm.prank(studio);
        token.approve(address(escrow), agreed.amount);
        vm.prank(studio);
        try escrow.deposit(offer, signed, agreed) {
            depositedInAll += agreed.amount;
            ++done["deposit"];
        } catch {}
    }

    function topUp(uint256 index, uint128 amount) external {
        amount = uint128(bound(amount, 1, CAP));
        vm.prank(studio);
        token.approve(address(escrow), amount);
        vm.prank(studio);
        try escrow.topUp(jobAt(index), amount) {
            depositedInAll += amount;
            ++done["topUp"];
        } catch {}
    }

    function redeemReceipt(uint256 jobIndex, uint256 nodeIndex, uint64 sequence, uint128 cumulative) external {
        nodeIndex %= NODES;
        bytes32 job = jobAt(jobIndex);
        uint256 newest = settlement.getAccount(job, node(nodeIndex)).sequence;
        Settlement.Receipt memory receipt = receiptOf(
            job, nodeIndex, uint64(bound(sequence, newest, newest + 3)), uint128(bound(cumulative, 0, CAP / 2))
        );
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, nodeIndex);
        try settlement.redeem(receipt, byNode, byStudio) {
            require(receipt.sequence > highestSequence[job][receipt.node], "a sequence fell or stood still");
            highestSequence[job][receipt.node] = receipt.sequence;
            raiseDue(job, receipt.node, receipt.cumulative);
            ++done["redeem"];
        } catch {}
    }

    function post(uint256 index, uint128 a, uint128 b, uint128 c, bool countersigned) external {
        bytes32 job = jobAt(index);
        uint128[] memory totals = new uint128[](NODES);
        (totals[0], totals[1], totals[2]) = (a, b, c);
        for (uint256 i = 0; i < NODES; ++i) {
            uint256 paid = settlement.paid(job, node(i));
            totals[i] = uint128(bound(totals[i], paid, paid + CAP / 6));
        }
        Settlement.Payout[] memory payouts = payoutsOf(totals);
        uint128[] memory before = new uint128[](NODES);
        for (uint256 i = 0; i < NODES; ++i) {
            before[i] = uint128(settlement.paid(job, payouts[i].node));
        }
        bytes memory signed;
        if (countersigned) {
            signed = signature(SESSION_KEY, settlement.batchDigest(job, LINES_ROOT, sumOf(payouts), 3, payouts));
        }
        vm.prank(operator);
        try settlement.postBatch(job, LINES_ROOT, sumOf(payouts), 3, payouts, signed) {
            Posted storage posted = _posted[job];
            delete _posted[job];
            for (uint256 i = 0; i < NODES; ++i) {
                posted.nodes.push(payouts[i].node);
                posted.totals.push(payouts[i].total);
                posted.before.push(before[i]);
            }
            ++done["post"];
        } catch {}
    }

    function contest(uint256 index) external {
        vm.prank(session);
        try settlement.contest(jobAt(index)) {
            ++done["contest"];
        } catch {}
    }

    function claim(uint256 jobIndex, uint256 leaf) public {
        bytes32 job = jobAt(jobIndex);
        Posted storage posted = _posted[job];
        if (posted.nodes.length == 0) return;
        leaf %= NODES;
        Settlement.Payout[] memory payouts = new Settlement.Payout[](NODES);
        for (uint256 i = 0; i < NODES; ++i) {
            payouts[i] = Settlement.Payout({node: posted.nodes[i], total: posted.totals[i]});
        }
        bytes32[] memory proof = proofOf(leavesOf(job, payouts, posted.before), leaf);
        try settlement.claim(job, posted.nodes[leaf], posted.before[leaf], posted.totals[leaf], proof) {
            raiseDue(job, posted.nodes[leaf], posted.totals[leaf]);
            ++done["claim"];
        } catch {}
    }

    function raiseDue(bytes32 job, address to, uint256 sum) private {
        if (sum > highestDue[job][to]) highestDue[job][to] = sum;
    }

    function refund(uint256 index) public {
        try escrow.refund(jobAt(index)) returns (uint256 amount) {
            refundedInAll += amount;
            ++done["refund"];
        } catch {}
    }

    function withdrawFees() public {
        feesWithdrawn += escrow.withdrawFees();
    }

    function pauseOrNot(bool stop) external {
        if (stop == settlement.paused()) return;
        if (stop) settlement.pause();
        else settlement.unpause();
    }

    function timePasses(uint256 time) external {
        // Mostly minutes, so that windows close while jobs live; now and then weeks, so that jobs expire.
        vm.warp(block.timestamp + (time % 16 == 0 ? 15 days : bound(time, 1 minutes, 40 minutes)));
    }

    /// @notice Remember how far the accumulators went; says whether one fell.
    function accumulatorFell() external returns (bool fell) {
        for (uint256 j = 0; j < JOBS; ++j) {
            for (uint256 n = 0; n < NODES; ++n) {
                uint256 paid = settlement.paid(jobAt(j), nodeAt(n));
                if (paid < highestPaid[jobAt(j)][nodeAt(n)]) fell = true;
                highestPaid[jobAt(j)][nodeAt(n)] = paid;
            }
        }
    }

    /// @notice Everybody takes what is theirs, in two calls a node and job at most, without the operator, while paused.
    function everybodyLeaves() external {
        if (!settlement.paused()) settlement.pause();
        vm.warp(block.timestamp + 400 days);
        for (uint256 j = 0; j < JOBS; ++j) {
            for (uint256 n = 0; n < NODES; ++n) {
                claim(j, n);
            }
            refund(j);
        }
        withdrawFees();
    }
}
