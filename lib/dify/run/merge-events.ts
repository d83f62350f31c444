import {
	asRecord,
	asRecords,
	isRecord,
	asArray,
	asFiniteNumber,
	isNonEmpty,
	asNonEmptyString,
	asString,
	JsonRecord,
} from '../../values';
import { getFileKeys } from '../files';
import { HumanForm, RunResult, RunSummary, WorkflowNode, WorkflowRun } from '../types';

/** Adds or merges a file: chatflows list their files in two closing events. */
export function addFile(
	{ files, fileIndex }: { files: JsonRecord[]; fileIndex: Map<string, JsonRecord> },
	source: JsonRecord,
) {
	const file = { ...source };
	if (typeof file.url !== 'string') delete file.url;
	const existing = getFileKeys(file)
		.map((name) => fileIndex.get(name))
		.find((candidate) => candidate !== undefined);
	if (existing === undefined) files.push(file);
	else merge(existing, file);
	const mergedFile = existing ?? file;
	for (const name of getFileKeys(mergedFile)) fileIndex.set(name, mergedFile);
}

/** Copies only non-empty values, so that a later, emptier version keeps earlier values. */
function merge(target: JsonRecord, source: JsonRecord) {
	for (const [key, value] of Object.entries(source)) {
		if (isNonEmpty(value) || !(key in target)) target[key] = value;
	}
}

const ENVELOPE = new Set(['event', 'conversation_id', 'message_id', 'created_at', 'task_id', 'id']);

/**
 * Upserts by ID: events with the same ID add fields; the tool of a thought arrives before its observation.
 */
export function addThought(
	{ thoughts, thoughtIndex }: { thoughts: JsonRecord[]; thoughtIndex: Map<string, JsonRecord> },
	event: JsonRecord,
) {
	const id = asNonEmptyString(event.id) ?? '';
	let thought = thoughtIndex.get(id);
	if (thought === undefined) {
		thought = { id };
		thoughtIndex.set(id, thought);
		thoughts.push(thought);
	}
	merge(thought, Object.fromEntries(Object.entries(event).filter(([key]) => !ENVELOPE.has(key))));
}

/** Fields of an event and their parsers. Missing values change nothing. */
type Fields<T> = ReadonlyArray<
	readonly [name: keyof T, key: string, read: (value: unknown) => unknown]
>;

/** After attaching to a run, finished nodes are repeated without values (docs/protocols/dify.md 2.4). */
const toDefined = (value: unknown) => value ?? undefined;

const NODE_FIELDS: Fields<WorkflowNode> = [
	['nodeId', 'node_id', asNonEmptyString],
	['type', 'node_type', asNonEmptyString],
	['title', 'title', asNonEmptyString],
	['createdAt', 'created_at', asFiniteNumber],
	['iterationId', 'iteration_id', asNonEmptyString],
	['loopId', 'loop_id', asNonEmptyString],
	['inputs', 'inputs', (value) => (isNonEmpty(value) ? value : undefined)],
];

const ENDED_NODE_FIELDS: Fields<WorkflowNode> = [
	['error', 'error', asNonEmptyString],
	['outputs', 'outputs', toDefined],
	['processData', 'process_data', toDefined],
	['executionMetadata', 'execution_metadata', toDefined],
	['elapsedTime', 'elapsed_time', asFiniteNumber],
	['finishedAt', 'finished_at', asFiniteNumber],
	['passes', 'steps', asFiniteNumber],
];

function readFields<T>(target: T, data: JsonRecord, fields: Fields<T>) {
	for (const [name, key, read] of fields) {
		const value = read(data[key]);
		if (value !== undefined) target[name] = value as T[typeof name];
	}
}

/**
 * Upserts a node. Parallel branches interleave, and resumed runs may skip start events: any event can be the first of a
 * node. Iterations and loops send no `node_*` events for themselves.
 */
export function addNode(
	{ nodes }: WorkflowRun,
	index: Map<string, WorkflowNode>,
	name: string,
	data: JsonRecord,
) {
	const id = asNonEmptyString(data.id) ?? asNonEmptyString(data.node_id) ?? '';
	const key = `${name.slice(0, name.indexOf('_'))}:${id}`;
	let node = index.get(key);
	if (node === undefined) {
		node = { id, status: 'running' };
		index.set(key, node);
		nodes.push(node);
	}
	readFields(node, data, NODE_FIELDS);
	if (name.endsWith('_next')) {
		node.passes = (asFiniteNumber(data.index) ?? node.passes ?? 0) + 1;
		return;
	}
	node.index = asFiniteNumber(data.index) ?? node.index;
	if (!name.endsWith('_started')) endNode(node, name, data);
}

/** Applies the end of a node, or of one of its attempts. */
function endNode(node: WorkflowNode, name: string, data: JsonRecord) {
	if (name === 'node_retry')
		node.retries = asFiniteNumber(data.retry_index) ?? (node.retries ?? 0) + 1;
	node.status = asNonEmptyString(data.status) ?? 'succeeded';
	if (node.status === 'succeeded') node.error = undefined;
	readFields(node, data, ENDED_NODE_FIELDS);
	const files = asRecords(data.files);
	if (files.length > 0) node.files = files.map((file) => ({ ...file }));
}

const RUN_FIELDS: Fields<RunSummary> = [
	['runId', 'id', asNonEmptyString],
	['runId', 'workflow_run_id', asNonEmptyString],
	['workflowId', 'workflow_id', asNonEmptyString],
	['status', 'status', asNonEmptyString],
	['outputs', 'outputs', (value) => (isRecord(value) ? value : undefined)],
	['error', 'error', asNonEmptyString],
	['elapsedTime', 'elapsed_time', asFiniteNumber],
	['totalTokens', 'total_tokens', asFiniteNumber],
	['totalSteps', 'total_steps', asFiniteNumber],
	['createdAt', 'created_at', asFiniteNumber],
	['finishedAt', 'finished_at', asFiniteNumber],
	['exceptionsCount', 'exceptions_count', asFiniteNumber],
];

/** Applies the data of `workflow_started`, `workflow_finished` and `workflow_paused` to the run. */
export function updateWorkflow(workflow: RunSummary, data: JsonRecord) {
	readFields(workflow, data, RUN_FIELDS);
}

/** Adds a form from `human_input_required`, or from the pause reason, which repeats it. Ignores forms without an ID. */
export function addForm(forms: HumanForm[], data: JsonRecord) {
	const formId = asNonEmptyString(data.form_id);
	const nodeId = asNonEmptyString(data.node_id);
	const formToken = asNonEmptyString(data.form_token) ?? null;
	const isNamed = (formId ?? nodeId ?? formToken ?? undefined) !== undefined;
	const isSame = (form: HumanForm) =>
		formId === undefined ? form.nodeId === nodeId : form.formId === formId;
	if (!isNamed || forms.some(isSame)) return;
	forms.push({
		formId,
		nodeId,
		nodeTitle: asNonEmptyString(data.node_title),
		formContent: asNonEmptyString(data.form_content),
		inputs: asArray(data.inputs),
		actions: asArray(data.actions),
		displayInUi: typeof data.display_in_ui === 'boolean' ? data.display_in_ui : undefined,
		formToken,
		resolvedDefaultValues: isRecord(data.resolved_default_values)
			? data.resolved_default_values
			: undefined,
		expirationTime: asFiniteNumber(data.expiration_time),
	});
}

/** Adds the button that was used. */
export function addSubmittedForm(
	{ submittedForms }: Pick<RunResult, 'submittedForms'>,
	title: unknown,
	action: unknown,
) {
	const [nodeTitle, actionId] = [title, action].map(asNonEmptyString);
	const isSame = (form: (typeof submittedForms)[number]) =>
		form.nodeTitle === nodeTitle && form.actionId === actionId;
	if (actionId === undefined || submittedForms.some(isSame)) return;
	submittedForms.push({ nodeTitle, actionId });
}

/** The only text of a workflow's outputs; their names are arbitrary. */
export function findSingleText(outputs: unknown) {
	const texts = Object.values(asRecord(outputs)).filter(
		(value): value is string => typeof value === 'string',
	);
	return texts.length === 1 ? texts[0] : undefined;
}

export const NO_REASON = 'The run failed without a reason from Dify';

/** Error text of the run or its failed node, for error events without text. */
export function getRunFailureText({ workflow }: Pick<RunResult, 'workflow'>) {
	const failedNode = workflow?.nodes.filter(({ status }) => status === 'failed').at(-1);
	return toTrimmed(workflow?.error) ?? toTrimmed(failedNode?.error);
}

export function toTrimmed(value: unknown) {
	return asNonEmptyString(asString(value)?.trim());
}
