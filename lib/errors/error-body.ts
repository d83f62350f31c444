import { asList, isRecord, optional, words } from '../values';
import { hasErrorDetails, serverMessage } from './http-failure';

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
	json: Record<string, unknown>,
	eventName: string | undefined,
	data: string,
): ErrorBody | undefined {
	const hasChoices = (json.choices ?? undefined) !== undefined;
	const isError =
		eventName === 'error' ||
		json.object === 'error' ||
		(!hasChoices && (json.detail || isErrorText(json)));
	const first = hasChoices ? undefined : asList(json.errors)[0];
	const ofChoice = asList(json.choices).find(isRecord)?.error || undefined;
	const error = (json.error || first || ofChoice) ?? (isError ? json : undefined);
	if (!error || (hasChoices && isRecord(error) && !hasErrorDetails(error))) return undefined;
	if (!isRecord(error))
		return { message: typeof error === 'string' ? error : JSON.stringify(error) };
	return {
		message:
			[error.message, error.msg, error.error_msg]
				.find((text) => typeof text === 'string' && text !== '')
				?.toString() ?? (error === json ? serverMessage(data).message : JSON.stringify(error)),
		...(typeof error.type === 'string' ? { type: error.type } : {}),
		...optional({ status: statusIn(error.code) }),
	};
}

/** LiteLLM writes the status as text; gateways have codes of their own (40001), which are no status. */
function statusIn(code: unknown): number | undefined {
	return /^[45]\d\d$/.test(words(code)) ? Number(code) : undefined;
}

/** `{"code":200,"message":"success"}`, which gateways add to good answers, is no error. */
const SUCCESS = /^(?:2\d\d|ok|success)$/i;
const FAILED = /^(?:error|failed|failure)$/i;

/** Also FastChat's `{"text","error_code"}` and the `{"code","msg"}` of gateways. */
function isErrorText(json: Record<string, unknown>): boolean {
	const { status, type, success } = json;
	const code = json.code ?? json.error_code;
	return (
		Boolean(
			json.message ??
				json.msg ??
				json.error_msg ??
				(json.error_code === undefined ? undefined : json.text),
		) &&
		((Boolean(code) && !SUCCESS.test(words(code))) ||
			(typeof status === 'number' && !SUCCESS.test(words(status))) ||
			FAILED.test(words(status)) ||
			type === 'error' ||
			success === false)
	);
}
