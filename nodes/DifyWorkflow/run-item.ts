/** The output item of a run, as the options of its operation ask for it. */
import type { OptionValues } from '../../lib/fields/field';
import type { DifyCall } from '../shared/dify/dify-operation';
import { getPartialResult } from '../../lib/dify/partial-result';
import { withAbsoluteUrl } from '../../lib/dify/output-files';
import type { RunRequest } from '../../lib/dify/run/start-run';
import type { RunResult } from '../../lib/dify/types';
import { omitEmpty, isRecord, mapValues } from '../../lib/values/records';
import { pushAll } from '../../lib/values/lists';
import {
	storeResultFiles,
	toPlainObject,
	createPausedError,
	getEmailFormWarnings,
	getPauseHints,
	showPause,
	toSimpleForm,
} from '../shared/dify/run-output';
import type { OperationItem } from '../shared/items/operation';
import type { common, onPauseWaiting } from './fields';

/** Optional parts of the item. */
type IncludedPart = 'files' | 'nodes' | 'text';

/** Contents of the item, and handling of failed and paused runs. */
export interface RunOutput {
	simplify: boolean;
	include: readonly IncludedPart[];
	onFailure: 'error' | 'return';
	onPause: 'error' | 'return' | 'wait';
	/** From which files may be downloaded besides that of the credential. */
	fileOrigins: readonly string[];
	/** In the item, since later nodes need the same user. */
	user: string;
}

/** Values of the fields about the item of a run. */
interface OutputValues {
	readonly simplify: boolean;
	readonly options: Pick<
		OptionValues<typeof common & { onPause: typeof onPauseWaiting }>,
		'include' | 'onFailure' | 'onPause' | 'fetchFilesFrom'
	>;
}

/** What these fields say. */
export function toRunOutput({ simplify, options }: OutputValues, user: string): RunOutput {
	const { include = [], onFailure = 'error', onPause = 'return' } = options;
	const fileOrigins = include.includes('files') ? (options.fetchFilesFrom ?? []) : [];
	return { simplify, include, onFailure, onPause, fileOrigins, user };
}

/** What the run keeps for its item: the values of nodes may be large. */
export function getKeptValues({ include }: RunOutput): Pick<RunRequest, 'keepsNodeValues'> {
	return { keepsNodeValues: include.includes('nodes') };
}

/** A run, and what its item contains. */
interface RunSource {
	running: Promise<RunResult>;
	output: RunOutput;
	/** About inputs that Dify drops. */
	inputWarnings?: readonly string[];
}

/**
 * The item of a run.
 *
 * @throws {ServerError} as the run does, unless failed runs are returned
 */
export async function toRunItem(
	call: DifyCall,
	{ running, output, inputWarnings = [] }: RunSource,
): Promise<OperationItem> {
	const { include, onFailure, onPause, fileOrigins, simplify, user } = output;
	const result = await (onFailure === 'return' ? running.catch(getFailedRunResult) : running);
	if (result.status === 'paused' && onPause === 'error') {
		throw createPausedError('workflow', result);
	}
	const warnings = [...inputWarnings, ...result.warnings, ...getEmailFormWarnings(result)];
	const files = include.includes('files')
		? await storeResultFiles(call, result, fileOrigins)
		: { warnings: [] };
	pushAll(warnings, files.warnings);
	[...warnings, ...getPauseHints(result)].forEach(call.hint);
	await showPause(call, result);
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
