/** The timers that code without imports gets. The lint forbids their names in TypeScript. */
exports.globalTimers = () => ({
	setTimeout: globalThis.setTimeout,
	clearTimeout: globalThis.clearTimeout,
});
