// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {PayoutTree} from "../src/PayoutTree.sol";
import {Settlement} from "../src/Settlement.sol";
import {FarmFixture} from "./support/FarmFixture.sol";

contract SettlementFuzzTest is FarmFixture {
    bytes32 private job;
    uint16 private constant FEE_BPS = 333;

    function setUp() public {
        deployFarm(FEE_BPS);
        job = openJob();
    }

    function feeOn(uint256 sum) private pure returns (uint256) {
        return (sum * FEE_BPS + 9_999) / 10_000;
    }

    /// However a node splits its collecting, it ends with the same sum, rounded against it.
    function testFuzz_feesDoNotDependOnHowOftenANodeCollects(uint256 a, uint256 b, uint256 c) public {
        a = bound(a, 1, CAP / 3);
        b = bound(b, a + 1, 2 * CAP / 3);
        c = bound(c, b + 1, CAP);
        redeem(job, 0, 1, uint128(a));
        redeem(job, 0, 2, uint128(b));
        redeem(job, 0, 7, uint128(c));
        redeemTwin(uint128(c));
        assertEq(token.balanceOf(node(0)), c - feeOn(c), "net");
        assertEq(escrow.fees(), feeOn(c), "fee");
        uint256 fees = escrow.fees();
        escrow.withdrawFees();
        assertEq(token.balanceOf(treasury), fees, "treasury has the fees");
    }

    function redeemTwin(uint128 sum) private {
        Settlement.Receipt memory receipt = receiptOf(job, 0, 8, sum);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 0);
        vm.expectRevert(abi.encodeWithSelector(Settlement.NothingDue.selector, job, node(0), sum, sum));
        settlement.redeem(receipt, byNode, byStudio);
    }

    /// Receipt before the batch, receipt after it, claim: the node gets the largest of the three sums, once.
    function testFuzz_claimAndRedemptionNeverPayTwice(uint256 early, uint256 batched, uint256 late, bool claimFirst)
        public
    {
        early = bound(early, 1, 20 ether);
        batched = bound(batched, early, 40 ether);
        late = bound(late, early + 1, 50 ether);
        redeem(job, 0, 1, uint128(early));
        uint128[] memory totals = new uint128[](1);
        uint128[] memory before = new uint128[](1);
        (totals[0], before[0]) = (uint128(batched), uint128(early));
        Settlement.Payout[] memory payouts = payoutsOf(totals);
        postCountersigned(job, payouts);
        if (claimFirst) claimAt(job, payouts, before, 0);
        if (!claimFirst || late > batched) redeem(job, 0, 2, uint128(late));
        if (!claimFirst) claimAt(job, payouts, before, 0);
        uint256 sum = late > batched ? late : batched;
        assertEq(settlement.paid(job, node(0)), sum, "paid once");
        assertEq(token.balanceOf(node(0)), sum - feeOn(sum), "received once");
        vm.warp(block.timestamp + DELAY);
        assertEq(escrow.refund(job), CAP - sum, "the rest goes back");
    }

    /// The tree on chain accepts a proof for each of its leaves, and none for another.
    function testFuzz_everyLeafOfThePayoutTreeHasAProof(uint256 count, uint256 index, bytes32 seed) public pure {
        count = bound(count, 1, 40);
        index = bound(index, 0, count - 1);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
        bytes32 root = PayoutTree.root(leaves);
        bytes32[] memory proof = proofOf(leaves, index);
        assertTrue(MerkleProof.verify(proof, root, leaves[index]), "proved");
        assertTrue(!MerkleProof.verify(proof, root, keccak256(abi.encode(leaves[index]))), "another leaf is not");
    }

    /// No change to a receipt's content keeps its signatures valid.
    function testFuzz_tamperedReceiptsAreRefused(uint8 field, uint128 by) public {
        by = uint128(bound(by, 1, 1 ether));
        Settlement.Receipt memory receipt = receiptOf(job, 0, 1, 5 ether);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 0);
        if (field % 4 == 0) receipt.sequence += uint64(by);
        else if (field % 4 == 1) receipt.cumulative += by;
        else if (field % 4 == 2) receipt.unitsRoot = keccak256(abi.encode(by));
        else receipt.count += uint32(bound(by, 1, 1000));
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, node(0)));
        settlement.redeem(receipt, byNode, byStudio);
    }
}
