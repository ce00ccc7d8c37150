// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {JobEscrow} from "../src/JobEscrow.sol";
import {Settlement} from "../src/Settlement.sol";
import {FarmFixture} from "./support/FarmFixture.sol";

contract SettlementTest is FarmFixture {
    bytes32 private job;

    function setUp() public {
        deployFarm(0);
        job = openJob();
    }

    function test_countersignedBatchPaysAtOnceAndRefundsTheRest() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(30 ether, 20 ether));
        postCountersigned(job, payouts);
        vm.snapshotGasLastCall("postBatchCountersignedTwoNodes");
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(claimAt(job, payouts, two(0, 0), i), payouts[i].total, "claimed");
            vm.snapshotGasLastCall("claim");
            assertEq(token.balanceOf(payouts[i].node), payouts[i].total, "node has it");
        }
        uint256 opens = block.timestamp + DELAY;
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.RefundTooEarly.selector, job, opens, block.timestamp));
        escrow.refund(job);
        vm.warp(opens);
        assertEq(escrow.refund(job), 50 ether, "rest back");
        assertEq(token.balanceOf(address(escrow)), 0, "nothing stays");
    }

    function test_secondClaimIsRefused() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(30 ether, 20 ether));
        postCountersigned(job, payouts);
        claimAt(job, payouts, two(0, 0), 0);
        bytes32[] memory proof = proofOf(leavesOf(job, payouts, two(0, 0)), 0);
        vm.expectRevert(abi.encodeWithSelector(Settlement.AlreadyClaimed.selector, job, payouts[0].node));
        settlement.claim(job, payouts[0].node, 0, payouts[0].total, proof);
    }

    function test_claimNeedsItsOwnLeaf() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(30 ether, 20 ether));
        postCountersigned(job, payouts);
        bytes32[] memory proof = proofOf(leavesOf(job, payouts, two(0, 0)), 0);
        uint128 more = payouts[0].total + 1;
        vm.expectRevert(abi.encodeWithSelector(Settlement.ProofInvalid.selector, job, payouts[0].node, more));
        settlement.claim(job, payouts[0].node, 0, more, proof);
        vm.expectRevert(
            abi.encodeWithSelector(Settlement.ProofInvalid.selector, job, payouts[1].node, payouts[0].total)
        );
        settlement.claim(job, payouts[1].node, 0, payouts[0].total, proof);
    }

    function test_oneBatchAJob() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(3 ether, 2 ether));
        postCountersigned(job, payouts);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.BatchExists.selector, job));
        settlement.postBatch(job, LINES_ROOT, 5 ether, 2, payouts, "");
    }

    function test_batchWithoutCountersignatureWaitsOutItsWindow() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(6 ether, 4 ether));
        uint256 finalAt = block.timestamp + WINDOW;
        postPlain(job, payouts);
        bytes32[] memory proof = proofOf(leavesOf(job, payouts, two(0, 0)), 0);
        vm.expectRevert(abi.encodeWithSelector(Settlement.BatchOpen.selector, job, finalAt, block.timestamp));
        settlement.claim(job, payouts[0].node, 0, payouts[0].total, proof);
        vm.warp(finalAt);
        settlement.claim(job, payouts[0].node, 0, payouts[0].total, proof);
        vm.prank(studio);
        vm.expectRevert(abi.encodeWithSelector(Settlement.BatchFinal.selector, job, finalAt, finalAt));
        settlement.contest(job);
        vm.warp(finalAt + DELAY);
        assertEq(escrow.refund(job), 90 ether, "rest back");
        assertEq(claimAt(job, payouts, two(0, 0), 1), payouts[1].total, "frozen money outlives the refund");
    }

    function test_batchWithoutCountersignatureTakesNoMoreThanTheDepositAllows() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(6 ether, 4 ether + 1));
        vm.prank(operator);
        vm.expectRevert(
            abi.encodeWithSelector(Settlement.Uncountersigned.selector, job, UNCOUNTERSIGNED + 1, UNCOUNTERSIGNED)
        );
        settlement.postBatch(job, LINES_ROOT, 10 ether + 1, 2, payouts, "");
        // Redeemed receipts prove what the studio signed, so the same batch fits on top of one.
        redeem(job, 0, 1, 6 ether);
        postPlain(job, payouts);
    }

    function test_batchWithoutCountersignatureLeavesTimeToRedeem() public {
        uint256 latest = expiry - 2 * WINDOW;
        vm.warp(latest + 1);
        Settlement.Payout[] memory payouts = payoutsOf(two(1 ether, 1 ether));
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.BatchLate.selector, job, latest, latest + 1));
        settlement.postBatch(job, LINES_ROOT, 2 ether, 2, payouts, "");
        vm.warp(uint256(expiry) + GRACE - 1);
        postCountersigned(job, payouts);
    }

    function test_contestedBatchPaysNothingAndReceiptsStillCount() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(6 ether, 4 ether));
        postPlain(job, payouts);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Settlement.NotContester.selector, stranger));
        settlement.contest(job);
        vm.prank(session);
        settlement.contest(job);
        assertEq(escrow.free(job), CAP, "nothing frozen");
        vm.warp(block.timestamp + WINDOW + DELAY);
        bytes32[] memory proof = proofOf(leavesOf(job, payouts, two(0, 0)), 0);
        vm.expectRevert(abi.encodeWithSelector(Settlement.BatchWasContested.selector, job));
        settlement.claim(job, payouts[0].node, 0, payouts[0].total, proof);
        vm.expectRevert(
            abi.encodeWithSelector(
                JobEscrow.RefundTooEarly.selector, job, uint256(expiry) + GRACE, block.timestamp
            )
        );
        escrow.refund(job);
        assertEq(redeem(job, 0, 1, 5 ether), 5 ether, "receipt pays");
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.BatchWasContested.selector, job));
        settlement.postBatch(job, LINES_ROOT, 10 ether, 2, payouts, "");
        payouts = payoutsOf(two(5 ether, 4 ether));
        postCountersigned(job, payouts);
        assertEq(escrow.free(job), CAP - 9 ether, "the countersigned one stands");
    }

    function test_redeemPaysTheDifferenceOnly() public {
        assertEq(redeem(job, 0, 1, 5 ether), 5 ether, "first");
        vm.snapshotGasLastCall("redeemFirst");
        assertEq(redeem(job, 0, 2, 8 ether), 3 ether, "second pays the difference");
        assertEq(token.balanceOf(node(0)), 8 ether, "sum");
        assertEq(settlement.paid(job, node(0)), 8 ether, "accumulator");
    }

    function test_sequenceOnlyRises() public {
        redeem(job, 0, 5, 5 ether);
        Settlement.Receipt memory receipt = receiptOf(job, 0, 5, 6 ether);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 0);
        vm.expectRevert(abi.encodeWithSelector(Settlement.ReceiptStale.selector, job, node(0), 5, 5));
        settlement.redeem(receipt, byNode, byStudio);
        receipt = receiptOf(job, 0, 6, 5 ether);
        (byNode, byStudio) = signReceipt(receipt, 0);
        vm.expectRevert(abi.encodeWithSelector(Settlement.NothingDue.selector, job, node(0), 5 ether, 5 ether));
        settlement.redeem(receipt, byNode, byStudio);
    }

    function test_receiptsNeedBothSignaturesOverThisVeryReceipt() public {
        Settlement.Receipt memory receipt = receiptOf(job, 0, 1, 5 ether);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 0);
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, node(0)));
        settlement.redeem(receipt, byStudio, byStudio);
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, session));
        settlement.redeem(receipt, byNode, byNode);
        receipt.cumulative += 1;
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, node(0)));
        settlement.redeem(receipt, byNode, byStudio);
    }

    function test_receiptOfAnotherChainOrContractNeverCounts() public {
        Settlement.Receipt memory receipt = receiptOf(job, 0, 1, 5 ether);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 0);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, node(0)));
        settlement.redeem(receipt, byNode, byStudio);
        vm.chainId(here);
        Settlement first = settlement;
        deployAround(token, 0);
        bytes32 twin = openJob();
        assertEq(twin, job, "same job id in the second deployment");
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, node(0)));
        settlement.redeem(receipt, byNode, byStudio);
        first.redeem(receipt, byNode, byStudio);
    }

    function test_batchSignedForAnotherChainIsRefused() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(3 ether, 2 ether));
        bytes32 digest = settlement.batchDigest(job, LINES_ROOT, 5 ether, 2, payouts);
        vm.chainId(block.chainid + 1);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, session));
        settlement.postBatch(job, LINES_ROOT, 5 ether, 2, payouts, signature(SESSION_KEY, digest));
    }

    function test_noReceiptCountsAfterTheExpiry() public {
        Settlement.Receipt memory receipt = receiptOf(job, 0, 1, 5 ether);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 0);
        vm.warp(uint256(expiry) + 1);
        vm.expectRevert(abi.encodeWithSelector(Settlement.ReceiptExpired.selector, job, expiry, uint256(expiry) + 1));
        settlement.redeem(receipt, byNode, byStudio);
        vm.warp(expiry);
        settlement.redeem(receipt, byNode, byStudio);
    }

    function test_receiptIsBoundedByTheJobsEscrow() public {
        Settlement.Receipt memory receipt = receiptOf(job, 0, 1, CAP + 1);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 0);
        assertTrue(token.transfer(address(escrow), 50 ether), "money of nobody in the escrow");
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.EscrowExhausted.selector, job, CAP + 1, CAP));
        settlement.redeem(receipt, byNode, byStudio);
    }

    function test_redeemThenClaimPaysTheDifference() public {
        redeem(job, 0, 1, 7 ether);
        Settlement.Payout[] memory payouts = payoutsOf(two(10 ether, 5 ether));
        uint256 index = payouts[0].node == node(0) ? 0 : 1;
        uint128[] memory before = new uint128[](2);
        before[index] = 7 ether;
        postCountersigned(job, payouts);
        assertEq(claimAt(job, payouts, before, index), 3 ether, "rest of the batch's share");
        assertEq(token.balanceOf(node(0)), 10 ether, "never twice");
    }

    function test_newerReceiptAfterTheBatchTakesFromTheRestAndFreesTheShare() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(10 ether, 5 ether));
        uint256 index = payouts[0].node == node(0) ? 0 : 1;
        postCountersigned(job, payouts);
        assertEq(redeem(job, 0, 9, 12 ether), 12 ether, "newer receipt, before the claim");
        assertEq(escrow.free(job), CAP - 15 ether - 12 ether, "the share is still frozen");
        assertEq(claimAt(job, payouts, two(0, 0), index), 0, "nothing left to claim");
        assertEq(escrow.free(job), CAP - 5 ether - 12 ether, "its share is free again");
        claimAt(job, payouts, two(0, 0), 1 - index);
        vm.warp(block.timestamp + DELAY);
        escrow.refund(job);
        assertEq(token.balanceOf(address(escrow)), 0, "nothing is stuck");
    }

    function test_receiptCannotTakeAnothersFrozenShare() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(60 ether, 40 ether));
        postCountersigned(job, payouts);
        Settlement.Receipt memory receipt = receiptOf(job, 2, 1, 1);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 2);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.EscrowExhausted.selector, job, 1, 0));
        settlement.redeem(receipt, byNode, byStudio);
    }

    function test_badBatchesAreRefused() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(6 ether, 4 ether));
        vm.expectRevert(abi.encodeWithSelector(Settlement.NotOperator.selector, address(this), operator));
        settlement.postBatch(job, LINES_ROOT, 10 ether, 2, payouts, "");
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.TotalMismatch.selector, 10 ether, 9 ether));
        settlement.postBatch(job, LINES_ROOT, 9 ether, 2, payouts, "");
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.BatchShape.selector, 0, 2, LINES_ROOT));
        settlement.postBatch(job, LINES_ROOT, 10 ether, 0, payouts, "");
        (payouts[0], payouts[1]) = (payouts[1], payouts[0]);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.PayoutsUnsorted.selector, payouts[0].node, payouts[1].node));
        settlement.postBatch(job, LINES_ROOT, 10 ether, 2, payouts, "");
        payouts[1] = payouts[0];
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.PayoutsUnsorted.selector, payouts[0].node, payouts[0].node));
        settlement.postBatch(job, LINES_ROOT, 2 * payouts[0].total, 2, payouts, "");
        payouts = payoutsOf(two(6 ether, 4 ether));
        redeem(job, 0, 1, 7 ether);
        vm.prank(operator);
        vm.expectRevert(
            abi.encodeWithSelector(Settlement.PayoutBelowPaid.selector, node(0), 6 ether, 7 ether)
        );
        settlement.postBatch(job, LINES_ROOT, 10 ether, 2, payouts, "");
        payouts = payoutsOf(two(60 ether, 41 ether));
        bytes32 digest = settlement.batchDigest(job, LINES_ROOT, 101 ether, 2, payouts);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.EscrowExhausted.selector, job, 94 ether, 93 ether));
        settlement.postBatch(job, LINES_ROOT, 101 ether, 2, payouts, signature(SESSION_KEY, digest));
    }

    function test_emptyBatchClosesAJobInWhichNothingWasRendered() public {
        postCountersigned(job, new Settlement.Payout[](0));
        vm.warp(block.timestamp + DELAY);
        assertEq(escrow.refund(job), CAP, "all back, long before the expiry");
    }

    function test_nobodyIsHostageWhilePaused() public {
        Settlement.Payout[] memory payouts = payoutsOf(two(6 ether, 4 ether));
        postCountersigned(job, payouts);
        settlement.pause();
        claimAt(job, payouts, two(0, 0), 0);
        claimAt(job, payouts, two(0, 0), 1);
        redeem(job, 2, 1, 1 ether);
        vm.warp(block.timestamp + DELAY);
        escrow.refund(job);
        escrow.withdrawFees();
        assertEq(token.balanceOf(address(escrow)), 0, "all money left");
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSignature("EnforcedPause()"));
        settlement.postBatch(job, LINES_ROOT, 10 ether, 2, payouts, "");
    }

    function test_linesAreProvedAgainstTheBatch() public {
        bytes32 salt = keccak256("salt");
        bytes32 leaf = keccak256(
            bytes.concat(keccak256(abi.encode(job, uint32(0), node(0), uint128(3 ether), bytes32("units"), salt)))
        );
        bytes32 other = keccak256("other");
        bytes32 root = leaf < other
            ? keccak256(abi.encodePacked(leaf, other))
            : keccak256(abi.encodePacked(other, leaf));
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = other;
        assertTrue(!settlement.verifyLine(job, 0, node(0), 3 ether, "units", salt, proof), "no batch, no line");
        Settlement.Payout[] memory payouts = payoutsOf(two(3 ether, 2 ether));
        vm.prank(operator);
        settlement.postBatch(job, root, 5 ether, 2, payouts, "");
        assertTrue(settlement.verifyLine(job, 0, node(0), 3 ether, "units", salt, proof), "in the batch");
        assertTrue(!settlement.verifyLine(job, 1, node(0), 3 ether, "units", salt, proof), "another index");
        assertTrue(!settlement.verifyLine(job, 0, node(0), 3 ether + 1, "units", salt, proof), "another amount");
    }

    function test_largestBatchFitsIntoABlock() public {
        uint256 count = settlement.MAX_PAYOUTS();
        Settlement.Payout[] memory payouts = new Settlement.Payout[](count);
        for (uint256 i = 0; i < count; ++i) {
            payouts[i] = Settlement.Payout({node: address(uint160(0x10000 + i)), total: 0.001 ether});
        }
        Settlement.Payout[] memory tooMany = new Settlement.Payout[](count + 1);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(Settlement.TooManyPayouts.selector, count + 1, count));
        settlement.postBatch(job, LINES_ROOT, 0, 1, tooMany, "");
        bytes32 digest = settlement.batchDigest(job, LINES_ROOT, 1 ether, 1000, payouts);
        vm.prank(operator);
        uint256 before = gasleft();
        settlement.postBatch(job, LINES_ROOT, 1 ether, 1000, payouts, signature(SESSION_KEY, digest));
        uint256 used = before - gasleft();
        // Calldata of 64 bytes a payout costs at most 40 gas a byte (EIP-7623's floor).
        assertTrue(used + count * 64 * 40 < 2 ** 24, "under 2^24 gas");
    }
}
