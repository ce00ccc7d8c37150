// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title The cheat codes of forge that these tests use
/// @dev forge-std is not published on npm by its authors; this is the small part of its interface that is needed here.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 privateKey) external pure returns (address);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function prank(address sender) external;
    function expectRevert(bytes calldata revertData) external;
    function expectRevert() external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory logs);
    function assume(bool condition) external pure;
    function snapshotGasLastCall(string calldata name) external returns (uint256 gasUsed);
    function getNonce(address account) external view returns (uint64);
    function label(address account, string calldata name) external;
}
