// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title CMP, the token the farm is paid in
/// @notice 18 decimals. The whole supply is minted once, at deployment; nobody can mint, burn, freeze or take a fee.
contract CMPToken is ERC20, ERC20Permit {
    /// @param holder Account that receives the whole supply.
    /// @param supply Base units (10^-18 CMP) that will ever exist.
    constructor(address holder, uint256 supply) ERC20("Framewright CMP", "CMP") ERC20Permit("Framewright CMP") {
        _mint(holder, supply);
    }
}
