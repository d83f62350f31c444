/** Fields of the operations that run or follow a workflow. */
import type { INodeProperties } from 'n8n-workflow';
import { fetchFilesFromField, onPauseField, RUN_OPTIONS } from '../shared/dify/dify-fields';
import { SAME_USER, userField } from '../shared/dify/dify-user';
import { booleanField, choiceField, multiChoiceField, stringField } from '../shared/field-builders';

export const runUserField: INodeProperties = {
	...userField,
	description: `The user who runs the workflow. Dify keeps the files and runs of different users apart, ${SAME_USER}`,
};

export const runIdField: INodeProperties = stringField('Workflow Run ID', 'workflowRunId', {
	default: '={{ $json.workflowRunId }}',
	required: true,
	placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
	description: 'The run ID that Execute returns. Not the task ID.',
});

export const onPause: INodeProperties = onPauseField(
	'What to do when the workflow pauses for human input',
);

/** Like `onPause`, for operations that can also wait for the submission. */
export const onPauseWaiting = {
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

export const onFailure: INodeProperties = choiceField(
	'When Run Fails',
	'onFailure',
	'error',
	{
		error: 'Fail',
		return: [
			'Return Partial Result',
			'The output item then has the status "failed" and the workflow error',
		],
	},
	'What to do if the workflow run fails',
);

export const include: INodeProperties = multiChoiceField(
	'Include',
	'include',
	{
		files: ['Files', 'Files in the outputs as binary fields "file_0", "file_1" and so on'],
		nodes: ['Nodes', 'Each workflow node with its inputs and outputs'],
		text: ['Text', 'The text that the workflow streamed during the run, as a preview'],
	},
	'What to add to the output item',
);

export const common = [
	RUN_OPTIONS.enableStreaming,
	fetchFilesFromField('files in the outputs'),
	RUN_OPTIONS.idleTimeout,
	include,
	{
		...RUN_OPTIONS.maxConcurrentItems,
		description:
			'How many items to process at the same time. Each run occupies one of the workers that all apps of this Dify share: use more than 4 only if no one else is waiting. The output keeps the order of the input. Expressions are evaluated for the first item only.',
	},
	onFailure,
];

export const followTotalTimeout = {
	...RUN_OPTIONS.totalTimeout,
	description:
		'How long to follow the run. After that, the run continues in Dify, and the error contains its ID. 0 = no limit.',
};

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
