import { followRun } from '../../lib/dify/run/follow-run';
import { runWorkflow } from '../../lib/dify/run/start-run';
import { inputFields, buildRunRequest } from '../shared/dify/run-request';
import {
	type DifyOperation,
	type DifyCall,
	DEFAULT_USER,
	readUser,
	readRunTimeouts,
	readRunOptions,
	simplifyField,
} from '../shared/dify/dify-operation';
import { optionsCollection } from '../shared/field-builders';
import { executeOptions, followOptions, runIdField, readRunId, runUserField } from './fields';
import { getPartialResult } from '../../lib/dify/errors';
import { withAbsoluteUrl } from '../../lib/dify/files';
import type { RunResult } from '../../lib/dify/types';
import { pushAll, omitEmpty, isRecord, mapValues } from '../../lib/values';
import {
	storeResultFiles,
	toPlainObject,
	createPausedError,
	toSimpleForm,
} from '../shared/dify/run-output';
import type { OperationItem } from '../shared/run/operations';

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
		optionsCollection(executeOptions),
	],
	run: async (call) => {
		const { client, parameters, typing } = call;
		const user = readUser(parameters);
		const options = readRunOptions(parameters);
		const output = readOutputOptions(call, user);
		await typing?.begin();
		const inputWarnings: string[] = [];
		const request = await buildRunRequest(call, user, {
			filesPath: 'options.files',
			onWarning: (warning) => void inputWarnings.push(warning),
		});
		const running = runWorkflow(
			client,
			{ ...request, ...options },
			{ ...options, onDeltas: typing?.show },
		);
		running.catch(() => inputWarnings.forEach(call.hint));
		return [await toRunItem(call, output, running, inputWarnings)];
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
		optionsCollection(followOptions),
	],
	run: async (call) => {
		const { client, parameters, typing } = call;
		const user = readUser(parameters);
		const runId = readRunId(parameters);
		const timeouts = readRunTimeouts(parameters);
		const output = readOutputOptions(call, user);
		const continueAfterPause = output.onPause === 'wait';
		await typing?.begin();
		const following = followRun(client, runId, user, {
			onDeltas: typing?.show,
			// Human input may take any time.
			timeouts: continueAfterPause ? { ...timeouts, idleMs: 0 } : timeouts,
			continueAfterPause,
		});
		return [await toRunItem(call, output, following)];
	},
};

/** Optional parts of the item. */
type IncludedPart = 'files' | 'nodes' | 'text';

/** Contents of the item, and handling of failed and paused runs. */
export interface RunOutput {
	simplify: boolean;
	include: readonly IncludedPart[];
	onFailure: 'error' | 'return';
	onPause: 'error' | 'return' | 'wait';
	user: string;
}

export function readOutputOptions(
	{ parameters }: Pick<DifyCall, 'parameters'>,
	user: string,
): RunOutput {
	return {
		simplify: parameters.boolean('simplify'),
		include: parameters.choices<IncludedPart>('options.include'),
		onFailure: parameters.choice('options.onFailure', 'error'),
		onPause: parameters.choice('options.onPause', 'return'),
		user,
	};
}

/**
 * The item of a run.
 *
 * @throws {ServerError} as the run, unless failed runs are returned
 */
export async function toRunItem(
	call: DifyCall,
	output: RunOutput,
	running: Promise<RunResult>,
	inputWarnings: readonly string[] = [],
): Promise<OperationItem> {
	const { include, onFailure, onPause, simplify, user } = output;
	const result = await (onFailure === 'return' ? running.catch(getFailedRunResult) : running);
	if (result.status === 'paused' && onPause === 'error')
		throw createPausedError('workflow', result);
	const warnings = [...inputWarnings, ...result.warnings, ...getEmailFormWarnings(result)];
	const files = include.includes('files') ? await storeResultFiles(call, result) : { warnings: [] };
	pushAll(warnings, files.warnings);
	warnings.forEach(call.hint);
	const json = simplify ? toSimplifiedJson(result) : toRawJson(call, result);
	return {
		json: toPlainObject({
			...json,
			user,
			...omitEmpty({ answered: result.submittedForms }),
			...(simplify ? omitEmpty({ warnings }) : { warnings }),
			...(include.includes('nodes') && { nodes: result.workflow?.nodes ?? [] }),
			...(include.includes('text') && { text: result.text }),
		}),
		binary: files.binary,
	};
}

/** The result of a failed run. @throws the error of a lost or rejected run */
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
