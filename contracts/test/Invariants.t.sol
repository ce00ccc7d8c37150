// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CMPToken} from "../src/CMPToken.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {Settlement} from "../src/Settlement.sol";
import {FarmHandler} from "./support/FarmHandler.sol";
import {TestBase} from "./support/TestBase.sol";

/// @notice What holds after any sequence of actions. Numbers are those of the design's list of invariants.
contract InvariantsTest is TestBase {
    FarmHandler private handler;
    CMPToken private token;
    JobEscrow private escrow;
    Settlement private settlement;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public {
        handler = new FarmHandler();
        (token, escrow, settlement) = handler.contracts();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory selectors) {
        bytes4[] memory actions = new bytes4[](13);
        actions[0] = FarmHandler.deposit.selector;
        actions[1] = FarmHandler.deposit.selector;
        actions[2] = FarmHandler.topUp.selector;
        actions[3] = FarmHandler.redeemReceipt.selector;
        actions[4] = FarmHandler.redeemReceipt.selector;
        actions[5] = FarmHandler.post.selector;
        actions[6] = FarmHandler.contest.selector;
        actions[7] = FarmHandler.claim.selector;
        actions[8] = FarmHandler.claim.selector;
        actions[9] = FarmHandler.refund.selector;
        actions[10] = FarmHandler.withdrawFees.selector;
        actions[11] = FarmHandler.pauseOrNot.selector;
        actions[12] = FarmHandler.timePasses.selector;
        selectors = new FuzzSelector[](1);
        selectors[0] = FuzzSelector({addr: address(handler), selectors: actions});
    }

    /// 1, 2, 4: every base unit is somewhere, once.
    function invariant_everyBaseUnitIsAccountedFor() public {
        uint256 held = escrow.fees();
        uint256 spentInAll = 0;
        uint256 depositedInAll = 0;
        uint256 refundedInAll = 0;
        for (uint256 j = 0; j < handler.JOBS(); ++j) {
            bytes32 job = handler.jobAt(j);
            JobEscrow.Job memory account = accountOf(job);
            if (account.studio == address(0)) continue;
            uint256 free = escrow.free(job);
            assertEq(
                uint256(account.spent) + account.refunded + account.frozen + free, account.deposited, "job adds up"
            );
            assertTrue(account.spent <= account.deposited, "spent within the cap");
            uint256 paid = 0;
            for (uint256 n = 0; n < handler.NODES(); ++n) {
                address node = handler.nodeAt(n);
                uint256 paidToNode = settlement.paid(job, node);
                assertEq(paidToNode, handler.highestDue(job, node), "the largest sum signed, once");
                paid += paidToNode;
            }
            assertEq(paid, account.spent, "the accumulator is what was spent");
            held += free + account.frozen;
            spentInAll += account.spent;
            depositedInAll += account.deposited;
            refundedInAll += account.refunded;
        }
        assertEq(token.balanceOf(address(escrow)), held, "the escrow holds what its books say");
        assertEq(depositedInAll, handler.depositedInAll(), "deposits");
        assertEq(refundedInAll, handler.refundedInAll(), "refunds");
        uint256 received = 0;
        for (uint256 n = 0; n < handler.NODES(); ++n) {
            received += token.balanceOf(handler.nodeAt(n));
        }
        assertEq(
            received + token.balanceOf(handler.treasuryAddress()) + escrow.fees(), spentInAll, "who received what was spent"
        );
        assertEq(
            token.balanceOf(handler.studioAddress()), 1e6 ether - depositedInAll + refundedInAll, "the studio's money"
        );
        assertTrue(!handler.accumulatorFell(), "paid only rises");
    }

    /// 7: from every state, everybody reaches their money without the operator.
    function afterInvariant() public {
        handler.everybodyLeaves();
        for (uint256 j = 0; j < handler.JOBS(); ++j) {
            JobEscrow.Job memory account = accountOf(handler.jobAt(j));
            assertEq(account.frozen, 0, "nothing stays frozen");
            assertEq(uint256(account.spent) + account.refunded, account.deposited, "all went somewhere");
        }
        assertEq(token.balanceOf(address(escrow)), 0, "nothing is stuck");
    }

    function accountOf(bytes32 job) private view returns (JobEscrow.Job memory account) {
        try escrow.getJob(job) returns (JobEscrow.Job memory found) {
            account = found;
        } catch {}
    }
}
