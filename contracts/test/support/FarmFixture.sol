// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CMPToken} from "../../src/CMPToken.sol";
import {ISettlement} from "../../src/ISettlement.sol";
import {JobEscrow} from "../../src/JobEscrow.sol";
import {PayoutTree} from "../../src/PayoutTree.sol";
import {Settlement} from "../../src/Settlement.sol";
import {TestBase} from "./TestBase.sol";

/// @title A deployed farm: token, escrow, settlement, a studio and nodes with keys
abstract contract FarmFixture is TestBase {
    uint256 internal constant OPERATOR_KEY = 0x09E7;
    uint256 internal constant STUDIO_KEY = 0x57;
    uint256 internal constant SESSION_KEY = 0x5e;
    uint256 internal constant NODE_KEY = 0xA000;
    uint64 internal constant WINDOW = 1 hours;
    uint64 internal constant DELAY = 30 minutes;
    uint64 internal constant GRACE = 1 days;
    uint128 internal constant CAP = 100 ether;
    uint128 internal constant UNCOUNTERSIGNED = 10 ether;
    bytes32 internal constant JOB = bytes32(uint256(0x0193));

    CMPToken internal token;
    JobEscrow internal escrow;
    Settlement internal settlement;
    address internal studio = vm.addr(STUDIO_KEY);
    address internal session = vm.addr(SESSION_KEY);
    address internal operator = vm.addr(OPERATOR_KEY);
    address internal treasury = address(0x7EA5);
    address internal stranger = address(0x5743);
    uint64 internal expiry;

    function deployFarm(uint16 feeBps) internal {
        vm.warp(1_800_000_000);
        expiry = uint64(block.timestamp + 30 days);
        token = new CMPToken(address(this), 1e9 ether);
        deployAround(token, feeBps);
        assertTrue(token.transfer(studio, 1e6 ether), "studio funded");
    }

    function deployAround(CMPToken cmp, uint16 feeBps) internal {
        // The escrow names the settlement before it exists: this contract's next but one deployment.
        address ahead = createAddress(address(this), vm.getNonce(address(this)) + 1);
        escrow = new JobEscrow(cmp, ISettlement(ahead), GRACE);
        settlement = new Settlement(escrow, address(this), operator, treasury, WINDOW, DELAY, feeBps);
        assertEq(address(settlement), ahead, "settlement where the escrow expects it");
    }

    function createAddress(address deployer, uint64 nonce) private pure returns (address) {
        bytes memory rlp = nonce < 0x80
            ? abi.encodePacked(bytes1(0xd6), bytes1(0x94), deployer, bytes1(uint8(nonce)))
            : abi.encodePacked(bytes1(0xd7), bytes1(0x94), deployer, bytes1(0x81), bytes1(uint8(nonce)));
        return address(uint160(uint256(keccak256(rlp))));
    }

    function terms() internal view returns (JobEscrow.Terms memory) {
        return JobEscrow.Terms({
            amount: CAP,
            sessionKey: session,
            maxUncountersigned: UNCOUNTERSIGNED,
            expiry: expiry
        });
    }

    function quote() internal view returns (ISettlement.Quote memory) {
        return ISettlement.Quote({
            job: JOB,
            studio: studio,
            price: 80 ether,
            suggestedCap: CAP,
            pricePerFbh: 2 ether,
            validUntil: uint64(block.timestamp + 15 minutes)
        });
    }

    function signQuote(ISettlement.Quote memory offer) internal view returns (bytes memory) {
        return signature(OPERATOR_KEY, settlement.quoteDigest(offer));
    }

    function openJob() internal returns (bytes32 job) {
        ISettlement.Quote memory offer = quote();
        bytes memory signed = signQuote(offer);
        vm.prank(studio);
        token.approve(address(escrow), CAP);
        vm.prank(studio);
        escrow.deposit(offer, signed, terms());
        return JOB;
    }

    /// @dev The index-th node's address; keys rise with the index, addresses do not.
    function node(uint256 index) internal pure returns (address) {
        return vm.addr(NODE_KEY + index);
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function receiptOf(bytes32 job, uint256 index, uint64 sequence, uint128 cumulative)
        internal
        pure
        returns (Settlement.Receipt memory)
    {
        return Settlement.Receipt({
            job: job,
            node: node(index),
            sequence: sequence,
            cumulative: cumulative,
            unitsRoot: keccak256(abi.encode(job, index, sequence)),
            count: uint32(sequence)
        });
    }

    /// @dev Both signatures of a receipt of the index-th node.
    function signReceipt(Settlement.Receipt memory receipt, uint256 index)
        internal
        view
        returns (bytes memory byNode, bytes memory byStudio)
    {
        bytes32 digest = settlement.receiptDigest(receipt);
        return (signature(NODE_KEY + index, digest), signature(SESSION_KEY, digest));
    }

    function redeem(bytes32 job, uint256 index, uint64 sequence, uint128 cumulative) internal returns (uint128) {
        Settlement.Receipt memory receipt = receiptOf(job, index, sequence, cumulative);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, index);
        return settlement.redeem(receipt, byNode, byStudio);
    }

    /// @dev Payouts of nodes 0..n-1 in the order a batch wants: rising addresses.
    function payoutsOf(uint128[] memory totals) internal pure returns (Settlement.Payout[] memory payouts) {
        payouts = new Settlement.Payout[](totals.length);
        for (uint256 i = 0; i < totals.length; ++i) {
            Settlement.Payout memory entry = Settlement.Payout({node: node(i), total: totals[i]});
            uint256 slot = i;
            for (; slot > 0 && payouts[slot - 1].node > entry.node; --slot) {
                payouts[slot] = payouts[slot - 1];
            }
            payouts[slot] = entry;
        }
    }

    function two(uint128 a, uint128 b) internal pure returns (uint128[] memory totals) {
        totals = new uint128[](2);
        (totals[0], totals[1]) = (a, b);
    }

    function sumOf(Settlement.Payout[] memory payouts) internal pure returns (uint128 sum) {
        for (uint256 i = 0; i < payouts.length; ++i) {
            sum += payouts[i].total;
        }
    }

    bytes32 internal constant LINES_ROOT = keccak256("lines");

    function postCountersigned(bytes32 job, Settlement.Payout[] memory payouts) internal {
        uint32 lines = uint32(payouts.length);
        bytes32 linesRoot = lines == 0 ? bytes32(0) : LINES_ROOT;
        bytes32 digest = settlement.batchDigest(job, linesRoot, sumOf(payouts), lines, payouts);
        vm.prank(operator);
        settlement.postBatch(job, linesRoot, sumOf(payouts), lines, payouts, signature(SESSION_KEY, digest));
    }

    function postPlain(bytes32 job, Settlement.Payout[] memory payouts) internal {
        uint128 total = sumOf(payouts);
        vm.prank(operator);
        settlement.postBatch(job, LINES_ROOT, total, uint32(payouts.length), payouts, "");
    }

    /// @dev Leaves of a batch whose nodes had been paid `before` when it was posted.
    function leavesOf(bytes32 job, Settlement.Payout[] memory payouts, uint128[] memory before)
        internal
        pure
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](payouts.length);
        for (uint256 i = 0; i < payouts.length; ++i) {
            leaves[i] = PayoutTree.leaf(job, payouts[i].node, before[i], payouts[i].total);
        }
    }

    /// @dev Merkle proof of the index-th leaf, written independently of the library: walks level by level in the array tree.
    function proofOf(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory proof) {
        uint256 size = 2 * leaves.length - 1;
        bytes32[] memory tree = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            uint256 place = size - 1 - i;
            if (i < leaves.length) {
                tree[place] = leaves[i];
            } else {
                (bytes32 a, bytes32 b) = (tree[2 * place + 1], tree[2 * place + 2]);
                tree[place] = a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
            }
        }
        bytes32[] memory path = new bytes32[](64);
        uint256 length = 0;
        for (uint256 place = size - 1 - index; place > 0; place = (place - 1) / 2) {
            path[length++] = tree[place % 2 == 1 ? place + 1 : place - 1];
        }
        proof = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            proof[i] = path[i];
        }
    }

    function claimAt(bytes32 job, Settlement.Payout[] memory payouts, uint128[] memory before, uint256 index)
        internal
        returns (uint128)
    {
        bytes32[] memory proof = proofOf(leavesOf(job, payouts, before), index);
        return settlement.claim(job, payouts[index].node, before[index], payouts[index].total, proof);
    }
}
