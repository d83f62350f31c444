import type { INodeProperties } from 'n8n-workflow';

import { uuid } from '../../lib/dify/ids';
import { fetchFilesFromField, SAME_USER, userField } from '../shared/dify/fields';
import { onPauseField, RUN_OPTIONS, WHERE_NOTHING_BEGAN } from '../shared/dify/run-options';
import { choiceField, choices, choicesField, stringField } from '../shared/field-kinds';
import type { NodeParameters } from '../shared/parameters';

export const runUserField: INodeProperties = {
	...userField,
	description: `Who runs the workflow. Dify keeps the files and runs of different users apart, ${SAME_USER}`,
};

export const runIdField = stringField('Workflow Run ID', 'workflowRunId', {
	default: '={{ $json.workflowRunId }}',
	required: true,
	placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
	description:
		'The ID of the run, which the operation Execute puts out. A task ID is something else.',
});

/** @throws {ServerError} where the field is empty or holds no ID */
export function runIdIn(parameters: NodeParameters): string {
	return uuid(parameters.value('workflowRunId'), 'workflow run ID');
}

const onPause = onPauseField('What to do when the workflow stops to ask a person');

/** As above, for operations that may also wait for the answer. */
const onPauseWaiting: INodeProperties = {
	...onPause,
	options: [
		...(onPause.options ?? []),
		{
			name: 'Wait',
			value: 'wait',
			description:
				'Wait until somebody has answered in Dify, and for the end of the run. Set a Total Limit.',
		} as never,
	],
};

const onFailure = choiceField('When Run Fails', 'onFailure', 'error', {
	options: choices({
		error: 'Fail',
		return: [
			'Return What There Is',
			'The item then has the status "failed", and the error of the workflow',
		],
	}),
	description: 'What to do when the workflow itself fails',
});

const include = choicesField('Include', 'include', {
	options: choices({
		files: ['Files', 'Files of the outputs as binary fields "file_0", "file_1" and so on'],
		nodes: ['Nodes', 'Each node of the workflow, with its inputs and outputs'],
		text: ['Text', 'The text that the workflow wrote on the way, as a preview'],
	}),
	description: 'What to add to the item',
});

const fetchFilesFrom = fetchFilesFromField('files of the outputs');

const { enableStreaming, idleLimit, totalLimit } = RUN_OPTIONS;

const itemsAtOnce: INodeProperties = {
	...RUN_OPTIONS.itemsAtOnce,
	description:
		'How many items are worked on at the same time. Each run occupies one of the workers that all apps of this Dify share: take more than 4 only if nobody else waits. The order of the output stays that of the input. An expression is evaluated for the first item only.',
};

const common = [enableStreaming, fetchFilesFrom, idleLimit, include, itemsAtOnce, onFailure];

/** Options of operations that follow a run that was started elsewhere. */
export const followOptions: INodeProperties[] = [
	...common,
	{
		...totalLimit,
		description:
			'How long to follow the run. When it runs out, the run goes on in Dify, and the error has its ID. 0 = no limit.',
	},
	onPauseWaiting,
];

/** Options of the operation that starts runs. */
export const executeOptions: INodeProperties[] = [
	...common,
	{
		...RUN_OPTIONS.maxRetries,
		description: `How often to send a run again ${WHERE_NOTHING_BEGAN}`,
	},
	totalLimit,
	RUN_OPTIONS.traceId,
	onPause,
	{
		...RUN_OPTIONS.workflowId,
		description:
			'A published version of the workflow. Leave empty for the latest one. The output of a run names the version that ran.',
	},
];
