import { asList, isRecord, type JsonRecord, nonEmptyText, optional, text, words } from '../values';
import { hasErrorDetails } from './http-failure';
import { kindOfMessage } from './kind-of-message';
import { serverMessage } from './server-message';

export interface ErrorBody {
	message: string;
	type?: string;
	status?: number;
}

/**
 * The error in an answer with status 200, undefined where there is none: `{"error":{…}}`, `{"error":"…"}`, FastAPI's
 * `{"detail":…}`, GPUStack's `{"code","message"}` and its forms in gateways, OpenRouter's `choices[0].error`, and the
 * `error:` lines of old releases, whose data is the error itself.
 */
export function errorIn(
	json: JsonRecord,
	eventName: string | undefined,
	data: string,
): ErrorBody | undefined {
	const error = errorPart(json, eventName);
	if (!error) return undefined;
	if (!isRecord(error)) return { message: words(error) };
	const wholeMessage = error === json ? serverMessage(data).message : JSON.stringify(error);
	return {
		message: ownMessage(error) ?? wholeMessage,
		...optional({ type: text(error.type), status: statusIn(error.code) }),
	};
}

function errorPart(json: JsonRecord, eventName: string | undefined): unknown {
	if (hasChoices(json)) return errorBesideChoices(json);
	return errorField(json) ?? wholeError(json, eventName);
}

function hasChoices({ choices }: JsonRecord): boolean {
	return choices !== undefined && choices !== null;
}

/** Some servers send an empty error beside a good answer. */
function errorBesideChoices(json: JsonRecord): unknown {
	const error = json.error || asList(json.choices).find(isRecord)?.error;
	return isRecord(error) && !hasErrorDetails(error) ? undefined : error;
}

/** An empty field is none. */
function errorField({ error, errors }: JsonRecord): unknown {
	return error || asList(errors)[0] || undefined;
}

/** The object itself, where it is the error. */
function wholeError(json: JsonRecord, eventName: string | undefined): JsonRecord | undefined {
	const isError =
		eventName === 'error' || json.object === 'error' || Boolean(json.detail) || isErrorText(json);
	return isError ? json : undefined;
}

function ownMessage(error: JsonRecord): string | undefined {
	return nonEmptyText(error.message) ?? nonEmptyText(error.msg) ?? nonEmptyText(error.error_msg);
}

/** LiteLLM writes the status as text; gateways have codes of their own (40001), which are no status. */
function statusIn(code: unknown): number | undefined {
	return /^[45]\d\d$/.test(words(code)) ? Number(code) : undefined;
}

/** `{"code":200,"message":"success"}`, which gateways add to good answers, is no error. */
const SUCCESS = /^(?:2\d\d|ok|success)$/i;
const FAILED = /^(?:error|failed|failure)$/i;

/** Also FastChat's `{"text","error_code"}` and the `{"code","msg"}` of gateways. */
function isErrorText(json: JsonRecord): boolean {
	const fastChat = json.error_code === undefined ? undefined : json.text;
	const message = json.message ?? json.msg ?? json.error_msg ?? fastChat;
	const isFailed = isFailedCode(json) || isFailedStatus(json) || isMarked(json);
	// cortex.cpp sends a message, and nothing beside it.
	return Boolean(message) && (isFailed || kindOfMessage(text(message) ?? '') !== undefined);
}

function isFailedCode(json: JsonRecord): boolean {
	const code = json.code ?? json.error_code;
	return Boolean(code) && !SUCCESS.test(words(code));
}

function isFailedStatus({ status }: JsonRecord): boolean {
	return typeof status === 'number' ? !SUCCESS.test(words(status)) : FAILED.test(words(status));
}

function isMarked({ type, success }: JsonRecord): boolean {
	return type === 'error' || success === false;
}
