import { getRecord, waitForRecord } from '../../../lib/dify/run/record';
import { simplifyField } from '../../shared/dify/run-options';
import { runIdField, runIdIn } from '../fields';
import type { DifyOperation } from '../../shared/dify/run';
import { plain } from '../../shared/dify/plain';
import { booleanField, numberField } from '../../shared/field-kinds';

export const runGet: DifyOperation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a run',
		description: 'Status, inputs and outputs of a run as Dify stored it',
	},
	fields: [
		runIdField,
		booleanField('Wait Until Finished', 'waitUntilFinished', false, {
			description:
				'Whether to ask again until the run has ended or pauses. Before Dify 1.15, a run that was stopped is stored as running for ever: do not wait for one there.',
		}),
		numberField('Time Limit (Seconds)', 'waitLimit', 1200, {
			typeOptions: { minValue: 1, maxValue: 3600 },
			displayOptions: { show: { waitUntilFinished: [true] } },
			description:
				'How long to wait. Dify itself ends a run after 20 minutes unless it was set up otherwise.',
		}),
		simplifyField,
	],
	run: async ({ client, parameters }) => {
		const runId = runIdIn(parameters);
		const waits = parameters.flag('waitUntilFinished');
		const record = waits
			? await waitForRecord(client, runId, { limitMs: parameters.milliseconds('waitLimit') })
			: await getRecord(client, runId);
		const { raw, runId: workflowRunId, ...known } = record;
		const json = parameters.flag('simplify') ? { workflowRunId, ...known } : raw;
		return [{ json: plain(json) }];
	},
};
