/** Prepares a run from the fields of a node: begins its chat message, reads its inputs, and uploads its files. */
import type { RunRequest } from '../../../lib/dify/run/start-run';
import { fetchAppParameters } from '../../../lib/dify/app';
import type { DifyCall } from './dify-operation';
import { GENERATION_RETRIES, readRequestSettings } from '../timeout-fields';
import { getAppFileTypes } from '../../../lib/dify/allowed-files';
import { parseTraceId } from '../../../lib/dify/ids';
import { readInputs } from './run-inputs';
import { hasFileEntries, readRequestedFiles } from './run-files';
import { getBinaryFields, sendFiles } from './file-requests';
import { readChatFiles } from './chat-file-requests';

export interface RequestSource {
	/** The user to upload files for, and to run as. */
	user: string;
	/** Path of the field "Files". Default: `files`. */
	filesPath?: string;
	/**
	 * Binary fields with the files of a chat message. If the field "Files" is empty, those that the app accepts are sent;
	 * a hint names the others. Default: none
	 */
	chatFiles?: readonly string[];
}

/** A request of a run, with what the item says about it. */
export interface PreparedRun extends RunRequest {
	/** About inputs that Dify silently drops. They were shown as hints. */
	warnings: string[];
}

/**
 * Prepares the request of a run, with its options: hints are shown, the form of the app is fetched if there are files, and
 * files are uploaded after all checks, also those of the caller.
 *
 * @throws {ServerError} also for an app that accepts no files
 */
export async function prepareRun(
	call: DifyCall,
	{ user, filesPath = 'files', chatFiles = [] }: RequestSource,
): Promise<PreparedRun> {
	const { client, parameters, chatStream } = call;
	const options = {
		...readRequestSettings(parameters, GENERATION_RETRIES),
		traceId: parseTraceId(parameters.value('options.traceId')),
		workflowId: parameters.string('options.workflowId') || undefined,
	};
	await chatStream?.begin();
	const selected = await readRequestedFiles(call, filesPath);
	const { values, files: formFiles, warnings } = await readInputs(call);
	warnings.forEach(call.hint);
	const allowedTypes =
		selected.length === 0 ? undefined : getAppFileTypes(await fetchAppParameters(client));
	const used = new Set([...getBinaryFields(selected), ...formFiles.binaryFields]);
	const added = await readChatFiles(call, {
		binaryFields: chatFiles.filter((name) => !used.has(name)),
		isSelected: hasFileEntries(call, filesPath),
	});
	const inputs = { ...values, ...(await formFiles.upload(user)) };
	const files = await sendFiles([...selected, ...added], user, allowedTypes);
	return { ...options, inputs, files, user, warnings, onDeltas: chatStream?.show };
}
