import { follow } from '../../../lib/dify/run/workflow';
import { userIn } from '../../shared/dify/ids';
import { readRunLimits, simplifyField } from '../../shared/dify/run-options';
import { listeners } from '../../shared/dify/run-request';
import type { OperationItem } from '../../shared/run/operations';
import { followOptions, runIdField, runIdIn, runUserField } from '../fields';
import type { DifyCall, DifyOperation } from '../../shared/dify/run';
import { readOutput, runItem } from '../output';
import { optionsCollection } from '../../shared/field-kinds';

export const runFollow: DifyOperation = {
	option: {
		name: 'Follow',
		value: 'follow',
		action: 'Follow a run',
		description:
			'Attach to a run that was started before, and wait for its outputs (Dify 1.14 and newer)',
	},
	fields: [
		runIdField,
		{ ...runUserField, description: 'Who started the run: nobody else can follow it' },
		simplifyField,
		optionsCollection(followOptions),
	],
	run: async (call) => [await followedItem(call)],
};

/**
 * Follows a run to its end, and returns its item.
 *
 * @param answered the token of a form that was just answered
 */
export async function followedItem(call: DifyCall, answered?: string): Promise<OperationItem> {
	const { client, parameters, typing } = call;
	const user = userIn(parameters);
	const runId = runIdIn(parameters);
	const limits = readRunLimits(parameters);
	const output = readOutput(call, user);
	const waits = output.onPause === 'wait';
	const { events, reading } = listeners(call, output.include);
	await typing?.begin();
	const following = follow(client, runId, user, {
		...reading,
		// A person may take any time.
		limits: waits ? { ...limits, progressMs: 0 } : limits,
		hints: { acrossPauses: waits },
		answered: answered === undefined ? undefined : new Set([answered]),
	});
	return await runItem(call, { ...output, events }, following);
}
