import { asRecord } from '../../values/records';
import type { DifyClient } from '../client';
import type { RunResult } from '../types';
import type { RunRoute } from './run-route';
import type { RunRequest } from './start-run';
import { startRun } from './start-run';

const COMPLETION: RunRoute = {
	operation: 'text_completion',
	startPath: '/completion-messages',
	mode: 'completion',
};

/**
 * Runs a text generator.
 *
 * @throws {ServerError} as `startRun` does
 */
export async function sendCompletionMessage(
	client: DifyClient,
	request: RunRequest,
): Promise<RunResult> {
	const result = await startRun(client, { route: COMPLETION, request });
	// A stopped run ends like any other, but Dify counts no tokens (docs/protocols/dify.md 12.1).
	const { total_tokens: total } = asRecord(asRecord(result.metadata).usage);
	if (total !== 0 || result.text === '') return result;
	return {
		...result,
		warnings: [
			...result.warnings,
			'The text may be incomplete: Dify counted no tokens, which happens for stopped runs and preset replies.',
		],
	};
}
