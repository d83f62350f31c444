const { clearInterval, setInterval } = require('node:timers');
const { performance } = require('node:perf_hooks');

/** How often the idle time is looked at. */
const STEP_MS = 100;

/**
 * Calls back when this process has had nothing to do for so long: a test that computes, or that gets no processor on a busy
 * machine, makes progress and does not wait in vain.
 *
 * @param {number} ms idle time of the event loop since the call
 * @param {() => void} onIdle
 * @returns {() => void} ends the watch
 */
exports.watchIdleTime = (ms, onIdle) => {
	const begin = performance.eventLoopUtilization();
	const timer = setInterval(
		() => {
			if (performance.eventLoopUtilization(begin).idle < ms) return;
			clearInterval(timer);
			onIdle();
		},
		Math.min(STEP_MS, ms),
	);
	return () => clearInterval(timer);
};
