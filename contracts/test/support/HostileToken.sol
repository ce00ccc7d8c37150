// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CMPToken} from "../../src/CMPToken.sol";

/// @title A token whose transfers call back, to try re-entrancy that the real one cannot
contract HostileToken is CMPToken {
    address private _target;
    bytes private _call;

    /// @notice Whether the call back went through, and what it answered.
    bool public entered;
    bytes public answer;

    constructor(address holder, uint256 supply) CMPToken(holder, supply) {}

    /// @notice Call this during the next transfer.
    function arm(address target, bytes calldata call) external {
        _target = target;
        _call = call;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        address target = _target;
        _target = address(0);
        (entered, answer) = target.call(_call);
    }
}
