/** What a test needs that goes the way of a chat. */
import { ChatClient } from '../chat/client';
import type { ChatParameters } from '../chat/types';
import type { Connection } from '../http/connection';
import { targetsOf } from './check';
import { mergeResults } from './merge-results';
import type { CheckResult } from './observations';
import type { Target } from './probes/observe';
import { canGenerate } from './speed/speed-test';

/**
 * Tests each server of a credential, one after another: servers on one machine would slow each other down.
 *
 * @param skipped the result of a server where the check found that a chat cannot work
 */
export async function testServers<R extends CheckResult, Tested extends object>(
	target: Target,
	health: R,
	skipped: Tested,
	test: (server: Target, result: R) => Promise<R & Tested>,
): Promise<R & Tested> {
	const results: Array<R & Tested> = [];
	for (const [at, server] of targetsOf(target).entries()) {
		const result = (health.servers?.[at] ?? health) as R;
		results.push(canGenerate(result) ? await test(server, result) : { ...result, ...skipped });
	}
	return mergeResults(results);
}

/** A client for the answers of a test. A retry would exceed the cost that was announced. */
export function testClient(
	connection: Connection,
	model: string,
	parameters: ChatParameters,
	limitMs: number,
): ChatClient {
	return new ChatClient(connection, {
		model,
		parameters,
		serverKind: 'auto',
		reasoningEcho: 'toolTurns',
		showThinking: false,
		limits: { firstTokenMs: limitMs, idleMs: limitMs, totalMs: limitMs },
		retries: 0,
	});
}
