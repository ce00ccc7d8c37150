// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {JobEscrow} from "../src/JobEscrow.sol";
import {FarmFixture} from "./support/FarmFixture.sol";

contract JobEscrowTest is FarmFixture {
    function setUp() public {
        deployFarm(0);
    }

    function permitOf(uint256 amount) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                studio,
                address(escrow),
                amount,
                token.nonces(studio),
                uint256(expiry)
            )
        );
        return vm.sign(STUDIO_KEY, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function test_depositWithPermitTakesTheCapInOneTransaction() public {
        (uint8 v, bytes32 r, bytes32 s) = permitOf(CAP);
        vm.prank(studio);
        bytes32 job = escrow.depositWithPermit(terms(), expiry, v, r, s);
        vm.snapshotGasLastCall("depositWithPermit");
        assertEq(job, escrow.jobId(studio, JOB_REF), "job id");
        assertEq(token.balanceOf(address(escrow)), CAP, "escrow holds the cap");
        assertEq(escrow.free(job), CAP, "all free");
        JobEscrow.Job memory account = escrow.getJob(job);
        assertEq(account.studio, studio, "studio");
        assertEq(account.sessionKey, session, "session key");
        assertEq(account.maxUncountersigned, UNCOUNTERSIGNED, "uncountersigned");
    }

    function test_permitSentAheadByAStrangerDoesNotStopTheDeposit() public {
        (uint8 v, bytes32 r, bytes32 s) = permitOf(CAP);
        vm.prank(stranger);
        token.permit(studio, address(escrow), CAP, expiry, v, r, s);
        vm.prank(studio);
        bytes32 job = escrow.depositWithPermit(terms(), expiry, v, r, s);
        assertEq(escrow.free(job), CAP, "deposited all the same");
    }

    function test_strangerCannotTakeAStudiosJobId() public {
        assertTrue(token.transfer(stranger, CAP), "funded");
        vm.prank(stranger);
        token.approve(address(escrow), CAP);
        vm.prank(stranger);
        bytes32 theirs = escrow.deposit(terms());
        assertTrue(theirs != openJob(), "two studios, two jobs");
    }

    function test_secondDepositForAJobIsRefused() public {
        bytes32 job = openJob();
        vm.prank(studio);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.JobExists.selector, job));
        escrow.deposit(terms());
    }

    function test_badTermsAreRefused() public {
        JobEscrow.Terms memory bad = terms();
        bad.amount = 0;
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.AmountZero.selector));
        escrow.deposit(bad);
        bad = terms();
        bad.sessionKey = address(0);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.SessionKeyZero.selector));
        escrow.deposit(bad);
        uint256 earliest = block.timestamp + 1;
        uint256 latest = block.timestamp + 366 days;
        bad = terms();
        bad.expiry = uint64(block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.ExpiryOutOfRange.selector, bad.expiry, earliest, latest));
        escrow.deposit(bad);
        bad.expiry = uint64(latest + 1);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.ExpiryOutOfRange.selector, bad.expiry, earliest, latest));
        escrow.deposit(bad);
    }

    function test_topUpRaisesTheCapUntilTheExpiry() public {
        bytes32 job = openJob();
        assertTrue(token.approve(address(escrow), 10 ether), "approved");
        escrow.topUp(job, 4 ether);
        assertEq(escrow.free(job), CAP + 4 ether, "cap raised");
        vm.warp(expiry + 1);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.JobExpired.selector, job, expiry, expiry + 1));
        escrow.topUp(job, 1 ether);
    }

    function test_topUpWithPermit() public {
        bytes32 job = openJob();
        (uint8 v, bytes32 r, bytes32 s) = permitOf(3 ether);
        vm.prank(studio);
        escrow.topUpWithPermit(job, 3 ether, expiry, v, r, s);
        assertEq(escrow.free(job), CAP + 3 ether, "cap raised");
    }

    function test_refundOpensAGracePeriodAfterTheExpiryAndGoesToTheStudio() public {
        bytes32 job = openJob();
        uint256 opens = uint256(expiry) + GRACE;
        vm.warp(opens - 1);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.RefundTooEarly.selector, job, opens, opens - 1));
        escrow.refund(job);
        vm.warp(opens);
        uint256 had = token.balanceOf(studio);
        vm.prank(stranger);
        assertEq(escrow.refund(job), CAP, "all of it");
        assertEq(token.balanceOf(studio) - had, CAP, "to the studio, whoever calls");
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.NothingToRefund.selector, job));
        escrow.refund(job);
    }

    function test_extendOnlyMovesAwayAndOnlyByTheStudio() public {
        bytes32 job = openJob();
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.NotStudio.selector, address(this), studio));
        escrow.extend(job, expiry + 1 days);
        uint256 latest = block.timestamp + 366 days;
        vm.prank(studio);
        vm.expectRevert(
            abi.encodeWithSelector(JobEscrow.ExpiryOutOfRange.selector, expiry, uint256(expiry) + 1, latest)
        );
        escrow.extend(job, expiry);
        vm.prank(studio);
        escrow.extend(job, expiry + 1 days);
        assertEq(escrow.refundOpensAt(job), uint256(expiry) + 1 days + GRACE, "refund moves along");
    }

    function test_onlyTheSettlementSpends() public {
        bytes32 job = openJob();
        bytes memory refused = abi.encodeWithSelector(JobEscrow.NotSettlement.selector, address(this));
        vm.expectRevert(refused);
        escrow.pay(job, stranger, 1, 0, 0);
        vm.expectRevert(refused);
        escrow.freeze(job, 1, 1);
        vm.expectRevert(refused);
        escrow.unfreeze(job);
    }

    function test_pauseStopsDepositsButNotRefunds() public {
        bytes32 job = openJob();
        settlement.pause();
        vm.prank(studio);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.DepositsPaused.selector));
        escrow.deposit(terms());
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.DepositsPaused.selector));
        escrow.topUp(job, 1);
        vm.warp(uint256(expiry) + GRACE);
        assertEq(escrow.refund(job), CAP, "refunded while paused");
    }

    function test_unknownJobHasAName() public {
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.JobUnknown.selector, bytes32(uint256(7))));
        escrow.refund(bytes32(uint256(7)));
    }
}
