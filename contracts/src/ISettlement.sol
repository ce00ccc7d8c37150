// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title What the escrow asks of the settlement it belongs to
interface ISettlement {
    /// @notice What the farm offers a studio. Signed by the operator, so that nobody else can take a job's id on chain.
    /// @param job The job's UUID, left-padded to 32 bytes.
    /// @param price Base units for all units of the job.
    /// @param suggestedCap Base units that the farm suggests to deposit; the studio decides.
    /// @param pricePerFbh Base units for a FarmBench-hour.
    /// @param validUntil Unix second up to which the quote can be accepted.
    struct Quote {
        bytes32 job;
        address studio;
        uint128 price;
        uint128 suggestedCap;
        uint128 pricePerFbh;
        uint64 validUntil;
    }

    /// @notice The EIP-712 digest of a quote that the operator signed and that still stands; reverts for any other.
    function acceptedQuote(Quote calldata quote, bytes calldata signature) external view returns (bytes32 digest);

    /// @notice Whether new deposits and new batches are stopped. Payouts and refunds never are.
    function paused() external view returns (bool);

    /// @notice Where the operator's fees go.
    function treasury() external view returns (address);
}
