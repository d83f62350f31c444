const { TestEnvironment } = require('jest-environment-node');

/** Provides `onTestFailure(callback)` to tests: called when a test or hook fails, while its servers still run. */
module.exports = class extends TestEnvironment {
	async setup() {
		await super.setup();
		this.global.onTestFailure = (act) => {
			this.act = act;
		};
	}

	async handleTestEvent({ name, test }) {
		if (name === 'hook_failure' || (name === 'test_done' && test.errors.length > 0)) this.act?.();
	}
};
