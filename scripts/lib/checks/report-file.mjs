/**
 * A reporter for jest that writes the results to the file in the environment variable `REPORT_FILE`. With `--bail`, jest
 * ends at the first failure before it writes the file of `--json`.
 */
import { writeFileSync } from 'node:fs';

/** @typedef {import('../types').FileReport} FileReport */
/** @typedef {import('@jest/test-result').AggregatedResult} AggregatedResult */

/**
 * @param {AggregatedResult['testResults'][number]} result
 * @returns {FileReport}
 */
const toFileReport = ({ testFilePath, testResults, testExecError, failureMessage, perfStats }) => {
	const isFailed = testExecError || testResults.some(({ status }) => status === 'failed');
	return {
		name: testFilePath,
		startTime: perfStats.start,
		endTime: perfStats.end,
		status: isFailed ? 'failed' : 'passed',
		message: failureMessage ?? '',
		assertionResults: testResults.map(({ fullName, status, failureMessages }) => ({
			fullName,
			status,
			failureMessages,
		})),
	};
};

/** What jest needs of a reporter. */
export default class ReportFile {
	/**
	 * @param {unknown} _contexts
	 * @param {AggregatedResult} results
	 */
	onRunComplete(_contexts, { testResults }) {
		const file = process.env.REPORT_FILE;
		if (file === undefined) throw new Error('REPORT_FILE names no file for the results.');
		writeFileSync(file, JSON.stringify(testResults.map(toFileReport)));
	}
}
