// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title The Merkle tree of a batch's payouts
/// @notice The same tree that `@openzeppelin/merkle-tree` builds from (job, node, before, total) with `sortLeaves: false`, so its proofs fit.
library PayoutTree {
    /// @notice Leaf of one payout, hashed twice so that no inner node can pass for a leaf.
    function leaf(bytes32 job, address node, uint128 before, uint128 total) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(job, node, before, total))));
    }

    /// @notice Root of a complete binary tree in an array, leaves from the end; zero for no leaves.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        uint256 count = leaves.length;
        if (count == 0) return 0;
        bytes32[] memory tree = new bytes32[](2 * count - 1);
        for (uint256 i = 0; i < count; ++i) {
            tree[2 * count - 2 - i] = leaves[i];
        }
        for (uint256 i = count - 1; i > 0; --i) {
            tree[i - 1] = Hashes.commutativeKeccak256(tree[2 * i - 1], tree[2 * i]);
        }
        return tree[0];
    }
}
