/**
 * Node's environment, with failures that fit on a screen: a test that waited too long says what its servers received, and
 * of a long message (a response of undici, a whole workflow) the middle is omitted.
 */
const { TestEnvironment } = require('jest-environment-node');
const { watchIdleTime } = require('../waiting/idle-time.cjs');

/** Idle time of the process after which a test waits in vain. The option `maxIdleMs` of the environment replaces it. */
const MAX_IDLE_MS = 40_000;

/** Lines of a message. The last ones are the stack. */
const MAX_LINES = 70;
const LAST_LINES = 20;
const MAX_LINE_LENGTH = 1_000;

/** @param {string} text */
function toScreen(text) {
	const lines = text
		.split('\n')
		.map((line) =>
			line.length > MAX_LINE_LENGTH
				? `${line.slice(0, MAX_LINE_LENGTH)}… (${line.length} characters)`
				: line,
		);
	if (lines.length <= MAX_LINES) return lines.join('\n');
	const first = lines.slice(0, MAX_LINES - LAST_LINES);
	const omitted = lines.length - MAX_LINES;
	return [...first, `… ${omitted} lines …`, ...lines.slice(-LAST_LINES)].join('\n');
}

module.exports = class extends TestEnvironment {
	constructor(config, context) {
		super(config, context);
		this.maxIdleMs = config.projectConfig.testEnvironmentOptions.maxIdleMs ?? MAX_IDLE_MS;
	}

	/** @param {{ name: string, test?: { fn: Function, asyncError: Error, errors: Array<[error: unknown, place: Error | undefined]> } }} event */
	handleTestEvent({ name, test }) {
		if (name === 'test_start' && test.fn !== undefined) test.fn = this.withIdleLimit(test);
		if (!/^(?:test_fn|hook)_failure$/.test(name) || test === undefined) return;
		for (const entry of test.errors) {
			// What nobody caught is there without its place.
			if (!Array.isArray(entry)) continue;
			const [error, place] = entry;
			if (typeof error === 'string') entry[0] = this.toTimeoutError(error, place);
			else if (typeof error?.stack === 'string') error.stack = toScreen(error.stack);
		}
	}

	/**
	 * Jest's own limit counts the time in which other processes have the processor.
	 *
	 * @param {{ fn: Function, asyncError: Error }} test
	 * @returns {Function} the test, which fails when this process has had nothing to do for so long
	 */
	withIdleLimit({ fn, asyncError }) {
		const { maxIdleMs } = this;
		const createError = () => this.createWaitError(maxIdleMs, asyncError);
		return async function (...args) {
			let endWatch;
			const late = new Promise((_resolve, reject) => {
				endWatch = watchIdleTime(maxIdleMs, () => reject(createError()));
			});
			try {
				return await Promise.race([fn.apply(this, args), late]);
			} finally {
				endWatch();
			}
		};
	}

	/**
	 * Jest rejects with a text if a test exceeds its time.
	 *
	 * @param {string} text
	 * @param {Error | undefined} place where the test is written
	 */
	toTimeoutError(text, place) {
		const [, time] = /Exceeded timeout of (\d+) ms/.exec(text) ?? [];
		if (time === undefined) return text;
		return this.createWaitError(Number(time), place);
	}

	/**
	 * @param {number} ms
	 * @param {Error | undefined} place where the test is written
	 */
	createWaitError(ms, place) {
		const requests = this.global.describeRequestsOfTest?.() ?? '';
		const error = new Error(`Waited ${ms / 1000} s in vain for the end of the test.\n${requests}`);
		error.stack = `Error: ${error.message}\n${(place?.stack ?? '').replace(/^.*\n/, '')}`;
		return error;
	}
};
