import { parseUuid } from '../../lib/dify/client';
import {
	fetchFilesFromField,
	SAME_USER,
	userField,
	onPauseField,
	RUN_OPTIONS,
	RETRY_CONDITION,
} from '../shared/dify/dify-operation';
import { filesField } from '../shared/dify/run-request';
import {
	booleanField,
	choiceField,
	toOptions,
	multiChoiceField,
	stringField,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';

export const runUserField = {
	...userField,
	description: `The user who runs the workflow. Dify keeps the files and runs of different users apart, ${SAME_USER}`,
};

export const runIdField = stringField('Workflow Run ID', 'workflowRunId', {
	default: '={{ $json.workflowRunId }}',
	required: true,
	placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
	description: 'The run ID that Execute returns. Not the task ID.',
});

/** @throws {ServerError} if the field is empty or not an ID */
export function readRunId(parameters: NodeParameters): string {
	return parseUuid(parameters.value('workflowRunId'), 'workflow run ID');
}

const onPause = onPauseField('What to do when the workflow pauses for human input');

/** Like `onPause`, for operations that can also wait for the submission. */
const onPauseWaiting = {
	...onPause,
	options: [
		...(onPause.options ?? []),
		{
			name: 'Wait',
			value: 'wait',
			description:
				'Wait until the form is submitted in Dify and the run has ended, or has paused at another form. Set a Total Timeout.',
		} as never,
	],
};

const onFailure = choiceField('When Run Fails', 'onFailure', 'error', {
	options: toOptions({
		error: 'Fail',
		return: [
			'Return Partial Result',
			'The output item then has the status "failed" and the workflow error',
		],
	}),
	description: 'What to do if the workflow run fails',
});

const include = multiChoiceField('Include', 'include', {
	options: toOptions({
		files: ['Files', 'Files in the outputs as binary fields "file_0", "file_1" and so on'],
		nodes: ['Nodes', 'Each workflow node with its inputs and outputs'],
		text: ['Text', 'The text that the workflow streamed during the run, as a preview'],
	}),
	description: 'What to add to the output item',
});

const fetchFilesFrom = fetchFilesFromField('files in the outputs');

const { enableStreaming, idleTimeout, totalTimeout } = RUN_OPTIONS;

const maxConcurrentItems = {
	...RUN_OPTIONS.maxConcurrentItems,
	description:
		'How many items to process at the same time. Each run occupies one of the workers that all apps of this Dify share: use more than 4 only if no one else is waiting. The output keeps the order of the input. Expressions are evaluated for the first item only.',
};

const common = [
	enableStreaming,
	fetchFilesFrom,
	idleTimeout,
	include,
	maxConcurrentItems,
	onFailure,
];

const followTotalTimeout = {
	...totalTimeout,
	description:
		'How long to follow the run. After that, the run continues in Dify, and the error contains its ID. 0 = no limit.',
};

/** Options to follow an existing run. */
export const followOptions = [...common, followTotalTimeout, onPauseWaiting];

/** Options to follow a run after its form was submitted. */
export const submitOptions = [
	booleanField(
		'Return Immediately',
		'returnImmediately',
		false,
		'Whether to return after the submission instead of waiting for the outputs or the next form',
	),
	...common,
	onPause,
	followTotalTimeout,
];

/** Options to start a run. */
export const executeOptions = [
	...common,
	{
		...filesField,
		description:
			'Files for the variable sys.files of older workflows. File variables of the start node belong in the inputs.',
	},
	{
		...RUN_OPTIONS.maxRetries,
		description: `How often to restart a run ${RETRY_CONDITION}`,
	},
	totalTimeout,
	RUN_OPTIONS.traceId,
	onPause,
	{
		...RUN_OPTIONS.workflowId,
		description:
			'ID of a published version of the workflow. Leave empty to use the latest version. The output of a run contains the version that ran.',
	},
];
