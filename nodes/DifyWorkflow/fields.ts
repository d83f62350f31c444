/** Fields of the operations that run or follow a workflow. */
import type { ChoiceField, FieldTable, NameField } from '../../lib/fields/field';
import { parseId, SAME_USER, userField } from '../shared/dify/common-fields';
import { fetchFilesFromField } from '../shared/dify/file-fields';
import { onPauseField, PAUSE_CHOICES, RUN_OPTIONS } from '../shared/dify/run-options';
import { ID_EXAMPLE } from '../shared/fields/to-properties';

export const runUserField = {
	...userField,
	description: `The user who runs the workflow. Dify keeps the files and runs of different users apart, ${SAME_USER}`,
} as const satisfies NameField;

/** The run of an item. */
export const currentRunField = {
	kind: 'name',
	label: 'Workflow Run ID',
	default: '={{ $json.workflowRunId }}',
	placeholder: ID_EXAMPLE,
} as const satisfies NameField;

/** The same, for operations that need one. */
export const runIdField = {
	...currentRunField,
	required: true,
	description: 'The run ID that Execute returns. Not the task ID.',
	parse: parseId,
} as const satisfies NameField;

export const onPause = {
	...onPauseField,
	description: 'What to do when the workflow pauses for human input',
} as const satisfies ChoiceField;

/** Like `onPause`, for operations that can also wait for the submission. */
export const onPauseWaiting = {
	...onPause,
	choices: {
		...PAUSE_CHOICES,
		wait: [
			'Wait',
			'Wait until the form is submitted in Dify and the run has ended, or has paused at another form. Set a Total Timeout.',
		],
	},
} as const satisfies ChoiceField;

/** Options of every operation that waits for a run. */
export const common = {
	enableStreaming: RUN_OPTIONS.enableStreaming,
	fetchFilesFrom: fetchFilesFromField('files in the outputs'),
	idleTimeout: RUN_OPTIONS.idleTimeout,
	include: {
		kind: 'choices',
		label: 'Include',
		choices: {
			files: ['Files', 'Files in the outputs as binary fields "file_0", "file_1" and so on'],
			nodes: ['Nodes', 'Each workflow node with its inputs and outputs'],
			text: ['Text', 'The text that the workflow streamed during the run, as a preview'],
		},
		description: 'What to add to the output item',
	},
	maxConcurrentItems: {
		...RUN_OPTIONS.maxConcurrentItems,
		description:
			'How many items to process at the same time. Each run occupies one of the workers that all apps of this Dify share: use more than 4 only if no one else is waiting. The output keeps the order of the input. Expressions are evaluated for the first item only.',
	},
	onFailure: {
		kind: 'choice',
		label: 'When Run Fails',
		default: 'error',
		choices: {
			error: 'Fail',
			return: [
				'Return Partial Result',
				'The output item then has the status "failed" and the workflow error',
			],
		},
		description: 'What to do if the workflow run fails',
	},
} as const satisfies FieldTable;

export const followTotalTimeout = {
	...RUN_OPTIONS.totalTimeout,
	description:
		'How long to follow the run. After that, the run continues in Dify, and the error contains its ID. 0 = no limit.',
} as const;
