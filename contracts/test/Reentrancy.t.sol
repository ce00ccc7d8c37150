// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {JobEscrow} from "../src/JobEscrow.sol";
import {Settlement} from "../src/Settlement.sol";
import {FarmFixture} from "./support/FarmFixture.sol";
import {HostileToken} from "./support/HostileToken.sol";

contract ReentrancyTest is FarmFixture {
    HostileToken private hostile;
    bytes32 private job;

    function setUp() public {
        deployFarm(0);
        hostile = new HostileToken(address(this), 1e9 ether);
        token = hostile;
        deployAround(hostile, 0);
        assertTrue(token.transfer(studio, 1e6 ether), "studio funded");
        job = openJob();
    }

    function assertRefusedInside() private view {
        assertTrue(!hostile.entered(), "the call back was refused");
        assertEq(
            bytes32(hostile.answer()), bytes32(bytes4(keccak256("ReentrancyGuardReentrantCall()"))), "by the guard"
        );
    }

    function test_refundInsideARefund() public {
        vm.warp(uint256(expiry) + GRACE);
        hostile.arm(address(escrow), abi.encodeCall(JobEscrow.refund, (job)));
        assertEq(escrow.refund(job), CAP, "the outer one pays");
        assertRefusedInside();
    }

    function test_redemptionInsideARedemption() public {
        Settlement.Receipt memory receipt = receiptOf(job, 1, 1, 5 ether);
        (bytes memory byNode, bytes memory byStudio) = signReceipt(receipt, 1);
        hostile.arm(address(settlement), abi.encodeCall(Settlement.redeem, (receipt, byNode, byStudio)));
        redeem(job, 0, 1, 3 ether);
        assertRefusedInside();
        assertEq(settlement.paid(job, node(1)), 0, "nothing was kept of the inner one");
        assertEq(token.balanceOf(address(escrow)), CAP - 3 ether, "only the outer one paid");
    }

    function test_depositInsideADeposit() public {
        hostile.arm(address(escrow), abi.encodeCall(JobEscrow.topUp, (job, 1)));
        assertTrue(token.approve(address(escrow), 2), "approved");
        // The approval is no transfer; the top-up's transfer calls back.
        escrow.topUp(job, 1);
        assertRefusedInside();
    }
}
