// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title What the escrow asks of the settlement it belongs to
interface ISettlement {
    /// @notice Whether new deposits and new batches are stopped. Payouts and refunds never are.
    function paused() external view returns (bool);

    /// @notice Where the operator's fees go.
    function treasury() external view returns (address);
}
