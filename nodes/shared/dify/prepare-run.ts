/** Prepares a run from the fields of a node: begins its chat message, reads its inputs, and uploads its files. */
import type { RunRequest } from '../../../lib/dify/run/start-run';
import { fetchAppParameters } from '../../../lib/dify/app';
import type { DifyCall } from './dify-operation';
import type { RunOptionValues } from './run-options';
import { toRunSettings } from './run-options';
import { assertAcceptedFiles, parseAppFileRules } from '../../../lib/dify/allowed-files';
import type { InputValues } from './run-inputs';
import { readInputs } from './run-inputs';
import type { FileRow } from './run-files';
import { readRequestedFiles } from './run-files';
import { getBinaryFields, getCandidates, sendFiles } from './file-requests';
import { readUnnamedFiles } from './trigger-file-requests';

export interface RequestSource {
	/** The user to upload files for, and to run as. */
	user: string;
	/** Values of the fields with the inputs. */
	inputs: InputValues;
	/** Rows of the field "Files", which then decide which files are sent. Default: none. */
	files: readonly FileRow[] | undefined;
	options: RunOptionValues;
	/** Whether the files of a chat message that the app accepts are sent if the field "Files" is empty. Default: no */
	sendsChatFiles?: boolean;
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
	{ user, inputs: inputValues, files: rows = [], options, sendsChatFiles = false }: RequestSource,
): Promise<PreparedRun> {
	const { client, chatStream } = call;
	const settings = toRunSettings(options);
	await chatStream?.begin();
	const selected = await readRequestedFiles(call, rows);
	const { values, files: formFiles, warnings } = await readInputs(call, inputValues);
	warnings.forEach(call.hint);
	const rules =
		selected.length === 0 ? undefined : parseAppFileRules(await fetchAppParameters(client));
	assertAcceptedFiles(getCandidates(selected), { rules });
	const used = new Set([...getBinaryFields(selected), ...formFiles.binaryFields]);
	const added = await readUnnamedFiles(call, {
		files: call.getTriggerFiles().filter(({ property }) => !used.has(property)),
		sendsChatFiles,
		isSelected: rows.length > 0,
		isEmptied: rows.length > 0 && selected.length === 0,
	});
	const inputs = { ...values, ...(await formFiles.upload(user)) };
	const files = await sendFiles([...selected, ...added], user, rules?.types);
	return { ...settings, inputs, files, user, warnings, onDeltas: chatStream?.show };
}
