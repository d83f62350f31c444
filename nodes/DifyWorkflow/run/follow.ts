import { followRun } from '../../../lib/dify/run/follow';
import { userIn } from '../../shared/dify/ids';
import { readRunLimits, simplifyField } from '../../shared/dify/run-options';
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
		description: 'Attach to a run that was started before, and wait for its outputs',
	},
	fields: [
		runIdField,
		{ ...runUserField, description: 'Who started the run: nobody else can follow it' },
		simplifyField,
		optionsCollection(followOptions),
	],
	run: async (call) => [await followedItem(call)],
};

/** Follows a run to its end, and returns its item. */
async function followedItem(call: DifyCall): Promise<OperationItem> {
	const { client, parameters, typing } = call;
	const user = userIn(parameters);
	const runId = runIdIn(parameters);
	const limits = readRunLimits(parameters);
	const output = readOutput(call, user);
	const waits = output.onPause === 'wait';
	await typing?.begin();
	const following = followRun(client, runId, user, {
		onDeltas: typing?.show,
		// A person may take any time.
		limits: waits ? { ...limits, progressMs: 0 } : limits,
		hints: { acrossPauses: waits },
	});
	return await runItem(call, output, following);
}
