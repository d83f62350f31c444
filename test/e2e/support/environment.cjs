const { TestEnvironment } = require('jest-environment-node');

/** Gives tests `onTestFailure`, which is told what to do when a test or its preparation fails, while its servers still run. */
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
