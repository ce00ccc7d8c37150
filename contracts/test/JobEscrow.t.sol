// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ISettlement} from "../src/ISettlement.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {Settlement} from "../src/Settlement.sol";
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
        bytes memory signed = signQuote(quote());
        vm.prank(studio);
        escrow.depositWithPermit(quote(), signed, terms(), expiry, v, r, s);
        vm.snapshotGasLastCall("depositWithPermit");
        bytes32 job = JOB;
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
        bytes memory signed = signQuote(quote());
        vm.prank(studio);
        escrow.depositWithPermit(quote(), signed, terms(), expiry, v, r, s);
        assertEq(escrow.free(JOB), CAP, "deposited all the same");
    }

    function test_strangerCannotTakeAStudiosJobId() public {
        ISettlement.Quote memory offer = quote();
        bytes memory signed = signQuote(offer);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(JobEscrow.NotStudio.selector, stranger, studio));
        escrow.deposit(offer, signed, terms());
        offer.studio = stranger;
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, operator));
        escrow.deposit(offer, signed, terms());
    }

    function test_onlyAStandingQuoteIsAccepted() public {
        ISettlement.Quote memory offer = quote();
        bytes memory signed = signQuote(offer);
        vm.warp(offer.validUntil + 1);
        vm.prank(studio);
        vm.expectRevert(
            abi.encodeWithSelector(Settlement.QuoteExpired.selector, JOB, offer.validUntil, offer.validUntil + 1)
        );
        escrow.deposit(offer, signed, terms());
        vm.warp(offer.validUntil);
        offer.price -= 1;
        vm.prank(studio);
        vm.expectRevert(abi.encodeWithSelector(Settlement.SignatureInvalid.selector, operator));
        escrow.deposit(offer, signed, terms());
    }

    function test_secondDepositForAJobIsRefused() public {
        bytes32 job = openJob();
        expectDepositRevert(terms(), abi.encodeWithSelector(JobEscrow.JobExists.selector, job));
    }

    function expectDepositRevert(JobEscrow.Terms memory bad, bytes memory revertData) private {
        bytes memory signed = signQuote(quote());
        vm.prank(studio);
        vm.expectRevert(revertData);
        escrow.deposit(quote(), signed, bad);
    }

    function test_badTermsAreRefused() public {
        JobEscrow.Terms memory bad = terms();
        bad.amount = 0;
        expectDepositRevert(bad, abi.encodeWithSelector(JobEscrow.AmountZero.selector));
        bad = terms();
        bad.sessionKey = address(0);
        expectDepositRevert(bad, abi.encodeWithSelector(JobEscrow.SessionKeyZero.selector));
        uint256 earliest = block.timestamp + 1;
        uint256 latest = block.timestamp + 366 days;
        bad = terms();
        bad.expiry = uint64(block.timestamp);
        expectDepositRevert(bad, abi.encodeWithSelector(JobEscrow.ExpiryOutOfRange.selector, bad.expiry, earliest, latest));
        bad.expiry = uint64(latest + 1);
        expectDepositRevert(bad, abi.encodeWithSelector(JobEscrow.ExpiryOutOfRange.selector, bad.expiry, earliest, latest));
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
        expectDepositRevert(terms(), abi.encodeWithSelector(JobEscrow.DepositsPaused.selector));
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
