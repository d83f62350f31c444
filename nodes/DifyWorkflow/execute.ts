import { followRun } from '../../lib/dify/run/follow-run';
import { runWorkflow } from '../../lib/dify/run/start-run';
import { inputFields, buildRunRequest, filesField } from '../shared/dify/run-request';
import type { DifyOperation, DifyCall } from '../shared/dify/dify-operation';
import {
	readId,
	simplifyField,
	fetchFilesFromField,
	onPauseField,
	RUN_OPTIONS,
	RETRY_CONDITION,
} from '../shared/dify/dify-fields';
import { DEFAULT_USER, readUser, SAME_USER, userField } from '../shared/dify/dify-user';
import {
	optionsCollection,
	booleanField,
	choiceField,
	multiChoiceField,
	stringField,
} from '../shared/field-builders';
import { getPartialResult } from '../../lib/dify/errors';
import { withAbsoluteUrl } from '../../lib/dify/files';
import type { RunResult } from '../../lib/dify/types';
import { omitEmpty, isRecord, mapValues } from '../../lib/values/records';
import { pushAll } from '../../lib/values/lists';
import {
	storeResultFiles,
	toPlainObject,
	createPausedError,
	toSimpleForm,
} from '../shared/dify/run-output';
import { readRequestSettings } from '../shared/timeout-fields';
import type { OperationItem } from '../shared/run/operations';

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

const onFailure = choiceField(
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

const include = multiChoiceField(
	'Include',
	'include',
	{
		files: ['Files', 'Files in the outputs as binary fields "file_0", "file_1" and so on'],
		nodes: ['Nodes', 'Each workflow node with its inputs and outputs'],
		text: ['Text', 'The text that the workflow streamed during the run, as a preview'],
	},
	'What to add to the output item',
);

const common = [
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

const followTotalTimeout = {
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

const [inputsMode, ...inputValues] = inputFields;

export const runExecute: DifyOperation = {
	name: 'Execute',
	value: 'execute',
	action: 'Execute a workflow',
	description: 'Run the published workflow and wait for its outputs',
	fields: [
		runUserField,
		{ ...inputsMode!, description: "Variables of the workflow's start node" },
		...inputValues,
		simplifyField,
		optionsCollection([
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
			RUN_OPTIONS.totalTimeout,
			RUN_OPTIONS.traceId,
			onPause,
			{
				...RUN_OPTIONS.workflowId,
				description:
					'ID of a published version of the workflow. Leave empty to use the latest version. The output of a run contains the version that ran.',
			},
		]),
	],
	run: async (call) => {
		const user = readUser(call.parameters);
		const output = readOutputOptions(call, user);
		const request = await buildRunRequest(call, { user, filesPath: 'options.files' });
		const running = runWorkflow(call.client, { ...request, ...getKeptValues(output) });
		return await toRunItem(call, output, running, request.warnings);
	},
};

export const runFollow: DifyOperation = {
	name: 'Follow',
	value: 'follow',
	action: 'Follow a run',
	description: 'Attach to an existing run and wait for its outputs',
	fields: [
		runIdField,
		{
			...runUserField,
			description: `The user who started the run. Other users cannot follow it. ${DEFAULT_USER}`,
		},
		simplifyField,
		optionsCollection([...common, followTotalTimeout, onPauseWaiting]),
	],
	run: async (call) => {
		const { client, parameters, typing } = call;
		const user = readUser(parameters);
		const runId = readId(parameters, 'workflowRunId');
		const { timeouts } = readRequestSettings(parameters);
		const output = readOutputOptions(call, user);
		const continueAfterPause = output.onPause === 'wait';
		await typing?.begin();
		const following = followRun(client, {
			runId,
			user,
			onDeltas: typing?.show,
			// Human input may take any time.
			timeouts: continueAfterPause ? { ...timeouts, idleMs: 0 } : timeouts,
			continueAfterPause,
			...getKeptValues(output),
		});
		return await toRunItem(call, output, following);
	},
};

/** Optional parts of the item. */
type IncludedPart = 'files' | 'nodes' | 'text';

/** Contents of the item, and handling of failed and paused runs. */
interface RunOutput {
	simplify: boolean;
	include: readonly IncludedPart[];
	onFailure: 'error' | 'return';
	onPause: 'error' | 'return' | 'wait';
	user: string;
}

export function readOutputOptions({ parameters }: DifyCall, user: string): RunOutput {
	return {
		simplify: parameters.boolean('simplify'),
		include: parameters.choices<IncludedPart>('options.include'),
		onFailure: parameters.choice('options.onFailure', 'error'),
		onPause: parameters.choice('options.onPause', 'return'),
		user,
	};
}

/** What the run keeps for its item: the values of nodes may be large. */
export function getKeptValues({ include }: RunOutput): { keepsNodeValues: boolean } {
	return { keepsNodeValues: include.includes('nodes') };
}

/**
 * The item of a run.
 *
 * @throws {ServerError} as the run does, unless failed runs are returned
 */
export async function toRunItem(
	call: DifyCall,
	output: RunOutput,
	running: Promise<RunResult>,
	inputWarnings: readonly string[] = [],
): Promise<OperationItem> {
	const { include, onFailure, onPause, simplify, user } = output;
	const result = await (onFailure === 'return' ? running.catch(getFailedRunResult) : running);
	if (result.status === 'paused' && onPause === 'error') {
		throw createPausedError('workflow', result);
	}
	const warnings = [...inputWarnings, ...result.warnings, ...getEmailFormWarnings(result)];
	const files = include.includes('files') ? await storeResultFiles(call, result) : { warnings: [] };
	pushAll(warnings, files.warnings);
	warnings.forEach(call.hint);
	return {
		json: toPlainObject({
			...(simplify ? toSimplifiedJson(result) : toRawJson(call, result)),
			user,
			...omitEmpty({ answered: result.submittedForms }),
			...(simplify ? omitEmpty({ warnings }) : { warnings }),
			...(include.includes('nodes') && { nodes: result.workflow?.nodes ?? [] }),
			...(include.includes('text') && { text: result.text }),
		}),
		binary: files.binary,
	};
}

/**
 * The result of a failed run.
 *
 * @throws the error of a lost or rejected run
 */
function getFailedRunResult(error: unknown) {
	const partialResult = getPartialResult(error);
	const isRun = partialResult?.error !== undefined && partialResult.error.cause !== 'rejected';
	if (isRun && partialResult.workflowRunId !== undefined) return partialResult;
	throw error;
}

function getEmailFormWarnings({ pause }: RunResult) {
	const emailForms = (pause?.forms ?? []).filter(({ formToken }) => formToken === null);
	return emailForms.map(
		({ nodeTitle }) =>
			`The form "${nodeTitle ?? ''}" has no token: it is sent by email only and answered there. To submit it from n8n, enable the web app as its delivery method in Dify.`,
	);
}

/** The outputs, and fields for later nodes. */
function toSimplifiedJson(result: RunResult) {
	const { status, workflowRunId, taskId, workflow, pause, error } = result;
	return {
		outputs: getOutputs(result),
		status,
		workflowRunId,
		taskId,
		totalTokens: workflow?.totalTokens,
		forms: pause?.forms.map(toSimpleForm),
		error: error?.message,
	};
}

function toRawJson({ client }: DifyCall, result: RunResult) {
	const { status, workflowRunId, taskId, pause, error, files, workflow } = result;
	return {
		...workflow,
		nodes: undefined,
		runId: undefined,
		status,
		outputs: getOutputs(result),
		workflowRunId,
		taskId,
		error: error?.message ?? null,
		files: files.map((file) => withAbsoluteUrl(client, file)),
		pausedNodes: pause?.pausedNodes,
		forms: pause?.forms,
	};
}

/**
 * Output names are arbitrary, so they are separate from the node's fields. Dify wraps lists of files:
 * `{"value_type":"array[file]","value":[]}`.
 */
function getOutputs({ workflow }: RunResult): unknown {
	const outputs = workflow?.outputs ?? {};
	if (!isRecord(outputs)) return outputs;
	return mapValues(outputs, (value) => {
		const isWrapped = isRecord(value) && 'value_type' in value && 'value' in value;
		return isWrapped ? value.value : value;
	});
}
