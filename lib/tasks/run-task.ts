/** Runs a task, which is everything except a chat: settings → attempts → result. */
import type { ServerError } from '../errors/server-error';
import { asServerErrorOrThrow } from '../errors/server-error';
import type { HttpResponse, RequestOptions } from '../http/types';
import type { Timeouts } from '../http/timeouts';
import type { FormFile, FormBody, UploadProgress } from '../http/multipart';
import type { Priority } from '../http/queue';
import { getServerFacts } from '../servers/server-facts';
import type { FactSources } from '../errors/investigate';
import { investigate } from '../errors/investigate';
import { createInputError } from '../errors/create-error';
import { assertTextLength } from '../errors/text-limits';
import { withoutFields } from '../exchange/body-changes';
import { omitRejectedField } from '../exchange/omit-rejected-field';
import type { Attempt, RoutedDraft } from '../exchange/attempt';
import type { ExchangeOptions, ExchangeResult } from '../exchange/exchange';
import { exchange } from '../exchange/exchange';
import { labelOptions } from '../exchange/named-options';
import type { RequestField } from '../exchange/request-fields';
import { extraBodyField, MODEL_LABEL } from '../exchange/request-fields';
import type { AttemptOutcome } from '../exchange/types';
import { getProfile } from '../servers/profile';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import type { RequestAttributes } from '../tracing/attributes';
import { TASK_LIMITS } from '../task-limits';
import type { TaskName } from '../task-limits';
import { withSpan } from '../tracing/span';
import type { JsonRecord } from '../values/records';
import { getOwn } from '../values/own-properties';
import { collectTexts, truncate } from '../values/text';
import type { BrokenUpload } from '../errors/facts';
import { createFormBody } from '../http/multipart';

/** Settings of every task. */
export interface TaskSettings {
	/** If empty, the server decides. */
	model: string;
	/** Default: those of `lib/http`. */
	timeouts?: Partial<Timeouts>;
	/** How often a failed request is sent again. Default: that of `RetryPolicy`. */
	retries?: number;
	/** The class of the requests in the queue. */
	priority: Priority;
	signal?: AbortSignal;
}

/** Token counts of a task, for its span. */
export interface TaskUsage {
	promptTokens?: number;
	completionTokens?: number;
}

/** What a task sends, how it reads the response, and how it explains an error. */
export interface TaskRequest<Value, Draft = undefined>
	extends
		Pick<RequestOptions, 'headers' | 'isIdempotent' | 'isPreemptible'>,
		Pick<ExchangeOptions<Draft, Value>, 'routes' | 'adaptations' | 'isRepeatable'>,
		Pick<Attempt<Draft, Value>, 'getPartialOutput' | 'getShownLength'> {
	/** Its limits are a row of `TASK_LIMITS`. */
	task: TaskName;
	/** Bytes of the response, if it is known to have fewer than the row allows. */
	maxBytes?: number;
	/** What a correction changes; undefined for tasks that correct nothing. */
	draft?: Draft;
	/** A row for each field that `toBody` can send. */
	fields: readonly RequestField[];
	/** Fields of the JSON body, or of the form if there are files. The model is added. */
	toBody(route: RouteName, draft: Draft): JsonRecord;
	/** Sent in a form. */
	files?: readonly FormFile[];
	/** Whether a result takes minutes, as a picture or speech. */
	isExpensive?: boolean;
	/** The task has asked for the properties of the model, whether the server told them or not. Default: they are asked for. */
	arePropsRequested?: boolean;
	/** Its texts were checked before they were prepared. Default: those of its fields are checked before they are sent. */
	areTextsChecked?: boolean;
	/** Fields of Extra Body in the body. They are never adapted. */
	extraBody?: JsonRecord;
	/** Name of the span. Without it, the task has no span. */
	operation?: RequestAttributes['operation'];
	/**
	 * @param sentBody - With the changes that rejections required
	 * @throws a `ServerError` for a response that is not usable.
	 */
	readResponse(response: HttpResponse, sentBody: JsonRecord): Promise<Value>;
	/** The draft of a request that corrects the value; undefined for a usable one. */
	correct?(value: Value, draft: Draft): Draft | undefined;
	/** What the task knows of a failed request, for its advice. */
	getFacts?(error: ServerError): FactSources;
	getUsage?(value: Value): TaskUsage;
}

/**
 * Gets the result of a task: one exchange, in a span.
 *
 * @throws a `ServerError`, as the task explains it.
 */
export async function runTask<Value, Draft = undefined>(
	server: ModelServer,
	settings: TaskSettings,
	taskRequest: TaskRequest<Value, Draft>,
): Promise<ExchangeResult<Draft, Value>> {
	assertInputs(taskRequest);
	if (server.maxConcurrentRequests === 0 && taskRequest.arePropsRequested !== true)
		await fetchSlotCount(server, settings);
	const upload = taskRequest.files && new TaskUpload(taskRequest.files);
	const sent: SentBody = { body: {} };
	const options = toExchangeOptions(settings, taskRequest, { upload, sent });
	const sendAttempts = async (target: ModelServer) =>
		await exchange<Draft, Value>(target, options).catch((error: unknown) => {
			throw upload ? upload.explain(error) : error;
		});
	return await traceAttempts({ server, settings, taskRequest, sendAttempts }).catch(
		async (error: unknown) => {
			throw await investigateTask(server, taskRequest, { error, settings, sent, upload });
		},
	);
}

/**
 * @throws a `ServerError` of type `invalidInput` if the row of a field does not allow what would be sent in it, or it is a
 *   text that is too long.
 */
function assertInputs<Value, Draft>(taskRequest: TaskRequest<Value, Draft>) {
	const { fields, routes, draft, files, areTextsChecked, extraBody = {} } = taskRequest;
	if (files !== undefined) assertFormNames(extraBody);
	const body = taskRequest.toBody(routes[0]!, draft as Draft);
	for (const { field, label = field, getInputIssue } of fields) {
		// What the user added is sent as it is.
		if (Object.hasOwn(extraBody, field)) continue;
		const value = getOwn(body, field);
		const issue = getInputIssue?.(value);
		if (issue !== undefined) {
			const { title, suggestion, inputProblem = 'wrong' } = issue;
			throw createInputError(title, suggestion, { field: label, inputProblem });
		}
		// Messages are checked when they are prepared: they contain files.
		if (typeof value === 'string' && areTextsChecked !== true)
			assertTextLength(value, `The field "${label}"`);
	}
}

/** Characters that would end the name of a form field, or its line. */
const ENDS_NAME = /["\p{Cc}]/u;

/** @throws a `ServerError` of type `invalidInput` for a key that cannot be the name of a form field */
function assertFormNames(extraBody: JsonRecord) {
	const name = Object.keys(extraBody).find((key) => ENDS_NAME.test(key));
	if (name === undefined) return;
	throw createInputError(
		`Extra Body has the key ${truncate(JSON.stringify(name), MAX_QUOTED_NAME)}, which cannot be the name of a form field`,
		'Remove line breaks, control characters and quotation marks from the key: files are sent with a form.',
		{ field: extraBodyField.label, inputProblem: 'wrong' },
	);
}

const MAX_QUOTED_NAME = 100;

/** What the attempts sent, of which one has the error: its field may be omitted in the last one. */
interface SentBody {
	body: JsonRecord;
}

/** Fetches the number of slots for the queue: the credential leaves the number of concurrent requests to the server. */
async function fetchSlotCount(server: ModelServer, { model, signal }: TaskSettings) {
	await getProfile(server).fetchProps(model, signal);
}

/** Tokens of the model's own template, for a task that sends texts of others: with the properties of the model. */
export async function fetchTemplateTokens(
	server: ModelServer,
	{ model, signal }: TaskSettings,
): Promise<readonly string[]> {
	const profile = getProfile(server);
	const props = await profile.fetchProps(model, signal);
	return await profile.fetchTemplateTokens(model, props, signal);
}

function toExchangeOptions<Value, Draft>(
	{ model, timeouts, retries, priority, signal }: TaskSettings,
	taskRequest: TaskRequest<Value, Draft>,
	shared: Pick<TaskAttemptOptions<Draft>, 'upload' | 'sent'>,
): ExchangeOptions<Draft, Value> {
	const { adaptations, extraBody, fields, task } = taskRequest;
	const limits = TASK_LIMITS[task].received;
	const modelField = model === '' ? {} : { model };
	const omitRejected = omitRejectedField({ rows: [MODEL_FIELD, ...fields], extraBody });
	return {
		learningScope: taskRequest.routes[0]!,
		routes: taskRequest.routes,
		draft: taskRequest.draft as Draft,
		startAttempt: (request) => toAttempt(taskRequest, { ...request, ...shared, modelField }),
		isRepeatable: taskRequest.isRepeatable,
		maxElapsedMs: taskRequest.isExpensive || taskRequest.files ? MAX_EXPENSIVE_MS : undefined,
		adaptations: { ...adaptations, field: [...(adaptations?.field ?? []), omitRejected] },
		http: {
			headers: taskRequest.headers,
			isIdempotent: taskRequest.isIdempotent,
			isPreemptible: taskRequest.isPreemptible,
			limits: { ...limits, bytes: Math.min(taskRequest.maxBytes ?? Infinity, limits.bytes) },
			...modelField,
			timeouts,
			maxRetries: retries,
			signal,
			priority,
		},
	};
}

/** Milliseconds: an expensive request, or one with an upload, that failed later is not repeated. */
const MAX_EXPENSIVE_MS = 10_000;

/** What an attempt is made of: its request, and what all attempts of a task share. */
interface TaskAttemptOptions<Draft> extends RoutedDraft<Draft> {
	modelField: JsonRecord;
	upload: TaskUpload | undefined;
	sent: SentBody;
}

function toAttempt<Value, Draft>(
	taskRequest: TaskRequest<Value, Draft>,
	{ draft, route, modelField, upload, sent }: TaskAttemptOptions<Draft>,
): Attempt<Draft, Value> {
	return {
		toBody: () => ({ ...modelField, ...taskRequest.toBody(route, draft) }),
		getTextsOfOthers,
		toContent: (body) => {
			sent.body = { ...sent.body, ...body };
			return upload ? { upload: upload.createForm(body) } : { json: body };
		},
		receiveOutcome: async (response, sentBody) =>
			toAttemptOutcome(taskRequest, await taskRequest.readResponse(response, sentBody), draft),
		getPartialOutput: () => taskRequest.getPartialOutput?.(),
		getShownLength: () => taskRequest.getShownLength?.() ?? 0,
	};
}

/** Usable, unless the task asks for a correction of the value: `readResponse` has already rejected what is invalid. */
function toAttemptOutcome<Value, Draft>(
	{ correct }: TaskRequest<Value, Draft>,
	value: Value,
	draft: Draft,
): AttemptOutcome<Draft, Value> {
	const completed = { type: 'usable', value } as const;
	const correctedDraft = correct?.(value, draft);
	if (correctedDraft === undefined) return completed;
	return { type: 'correctable', correctedDraft, outcomeIfUncorrected: completed };
}

interface TracedTask<Value, Draft> {
	server: ModelServer;
	settings: TaskSettings;
	taskRequest: TaskRequest<Value, Draft>;
	/** Sends the requests, with the headers of the span. */
	sendAttempts(target: ModelServer): Promise<ExchangeResult<Draft, Value>>;
}

async function traceAttempts<Value, Draft>({
	server,
	settings: { model, priority },
	taskRequest: { operation, getUsage },
	sendAttempts,
}: TracedTask<Value, Draft>) {
	if (operation === undefined) return await sendAttempts(server);
	const provider = getProfile(server).getRecognizedName() ?? 'openai_compatible';
	return await withSpan(server, {
		request: { operation, model, priority, provider },
		work: sendAttempts,
		toAttributes: ({ value }) => ({ usage: getUsage?.(value) }),
	});
}

/** A request that failed. */
interface FailedTask {
	error: unknown;
	settings: TaskSettings;
	sent: SentBody;
	upload: TaskUpload | undefined;
}

async function investigateTask<Value, Draft>(
	server: ModelServer,
	{ getFacts, fields, extraBody }: TaskRequest<Value, Draft>,
	{ error: thrown, settings: { model, signal }, sent, upload }: FailedTask,
) {
	const rows = [MODEL_FIELD, ...fields];
	const cause = asServerErrorOrThrow(thrown);
	const { body } = sent;
	const textsOfOthers = getTextsOfOthers(body);
	const { error, options } = labelOptions(cause, { rows, extraBody }, { body, textsOfOthers });
	return await investigate(error, {
		namedOptions: () => options,
		brokenUpload: () => upload?.getBrokenUpload(),
		model: () => model,
		...getServerFacts(error, server, { model, signal }),
		...getFacts?.(error),
	});
}

/** All but the name of the model, which the author chose: a task does not know who wrote a field. */
function getTextsOfOthers(body: JsonRecord): string[] {
	return collectTexts(withoutFields(body, ['model']));
}

/** The field that every task sends. */
const MODEL_FIELD: RequestField = { field: 'model', label: MODEL_LABEL, canOmit: false };

/** The files of a task, and how far their upload came. */
class TaskUpload {
	/** How much of the last form was sent, since only its attempt can have caused the error. */
	private sent: UploadProgress | undefined;

	constructor(private readonly files: readonly FormFile[]) {}

	/** A form for one attempt. It reads the files from their beginning. */
	createForm(fields: JsonRecord): FormBody {
		const form = createFormBody(fields, this.files);
		this.sent = form.sent;
		return form;
	}

	/** The error of a file that could not be read; any other is returned unchanged. */
	explain(error: unknown): unknown {
		const { unreadable } = this.sent ?? {};
		return unreadable === undefined
			? error
			: createInputError(
					`"${unreadable.name}" could not be read: ${unreadable.reason}`,
					'Check the binary data of the item and the binary data storage of n8n.',
				);
	}

	/** Undefined if nothing was sent, or all of it. */
	getBrokenUpload(): BrokenUpload | undefined {
		const { bytes: sentBytes = 0 } = this.sent ?? {};
		const fileSize = this.files.reduce((sum, { file }) => sum + file.size, 0);
		return sentBytes === 0 || sentBytes >= fileSize ? undefined : { fileSize, sentBytes };
	}
}
