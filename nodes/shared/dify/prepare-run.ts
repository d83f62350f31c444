/** Prepares a run from the fields of a node: begins its chat message, reads its inputs, and uploads its files. */
import type { RunRequest } from '../../../lib/dify/run/start-run';
import { fetchAppParameters } from '../../../lib/dify/app';
import type { DifyCall } from './dify-operation';
import type { RunOptionValues } from './run-options';
import { toRunSettings } from './run-options';
import {
	assertAcceptedFiles,
	parseAppFileRules,
	selectAllowedFiles,
} from '../../../lib/dify/allowed-files';
import type { InputValues } from './run-inputs';
import { readInputs } from './run-inputs';
import type { FileRow } from './run-files';
import { readRequestedFiles } from './run-files';
import { getBinaryFields, getCandidates, sendFiles } from './file-requests';
import { parseAppForm } from '../../../lib/dify/app-form';
import type { FileRules, UploadCandidate } from '../../../lib/dify/allowed-files';
import { toDifyFileType } from '../../../lib/dify/file-types';
import { uploadFile } from '../../../lib/dify/upload-file';
import type { FileSource } from '../../../lib/http/multipart';
import type { JsonRecord } from '../../../lib/values/records';
import { getErrorMessage } from '../../../lib/values/text';
import type { TriggerFile } from '../../../lib/n8n/trigger-files';
import { createFileSource } from '../../../lib/n8n/binary';
import type { FileRequest } from './file-requests';
import { isFileField } from './form-files';

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

/** What is known of these files. */
interface UnnamedFiles {
	/** Without those that a field of the node names. */
	files: readonly TriggerFile[];
	/** Whether the node sends the files of a chat message by itself. */
	sendsChatFiles: boolean;
	/** Whether the field "Files" decides which files are sent. */
	isSelected: boolean;
	/** Whether that field has an entry that selects none, which is consent, unless the files are those of a message. */
	isEmptied: boolean;
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
	assertAcceptedFiles(getCandidates(selected), { rules, host: client.host });
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

/**
 * Reads the files from the trigger that no field of the node names: those of a chat message as far as the app accepts them,
 * if the node sends them by itself. What is not sent is a loss of the run: of a chat message each file, else those that the
 * app would accept.
 */
async function readUnnamedFiles(
	call: DifyCall,
	{ files, sendsChatFiles, isSelected, isEmptied }: UnnamedFiles,
): Promise<FileRequest[]> {
	if (files.length === 0) return [];
	const [ofChat, others] = [
		files.filter(({ isOfChat }) => isOfChat && sendsChatFiles),
		files.filter(({ isOfChat }) => !(isOfChat ? sendsChatFiles : isEmptied)),
	];
	const sources = await openFiles(call, ofChat, isSelected);
	const appParameters =
		sources.length + others.length === 0 ? {} : await fetchAppParameters(call.client);
	await addAcceptedFiles(call, others, appParameters);
	return selectFiles(call, sources, appParameters);
}

/** The files of a message, unless the field "Files" decides. */
async function openFiles(
	{ context, itemIndex, losses }: DifyCall,
	files: readonly TriggerFile[],
	isSelected: boolean,
): Promise<FileSource[]> {
	const sources: FileSource[] = [];
	for (const { property, name } of files) {
		const source = await createFileSource(context, itemIndex, property).catch((error: unknown) => {
			losses.add('unsentFile', { name, reason: getErrorMessage(error) });
		});
		if (source && isSelected)
			losses.add('unsentFile', { name: source.name, reason: 'Files does not select it' });
		else if (source) sources.push(source);
	}
	return sources;
}

function selectFiles(
	{ client, hint, losses }: DifyCall,
	sources: readonly FileSource[],
	appParameters: JsonRecord,
): FileRequest[] {
	const { allowed, unsent } = selectAllowedFiles(sources, appParameters);
	losses.add('unsentFile', ...unsent);
	return allowed.map(({ file, type }) => {
		file.warnings?.forEach(hint);
		return {
			candidate: { ...file, type, origin: 'upload' },
			send: async (user) => ({
				type,
				transfer_method: 'local_file',
				upload_file_id: await uploadFile(client, file, user),
			}),
		};
	});
}

/** Remembers the files that the app would accept, and the others of a chat message. */
async function addAcceptedFiles(
	{ context, itemIndex, losses }: DifyCall,
	files: readonly TriggerFile[],
	appParameters: JsonRecord,
) {
	const form = parseAppForm(appParameters).filter(isFileField);
	for (const { property, isOfChat } of files) {
		const file = await createFileSource(context, itemIndex, property).catch(() => undefined);
		if (file === undefined) continue;
		const field = form.find(({ fileRules }) => isAcceptedBy(file, fileRules?.types));
		const { unsent } = selectAllowedFiles([file], appParameters);
		if (field !== undefined || unsent.length === 0)
			losses.add('unsentFile', {
				name: file.name,
				reason: `no field of the node names ${property}`,
				remedy: field
					? `To send such a file, enter the name of its field in "${field.label}".`
					: 'To send such files, select them in Files.',
			});
		else if (isOfChat) losses.add('unsentFile', ...unsent);
	}
}

function isAcceptedBy(file: UploadCandidate, fileTypes: FileRules['types']): boolean {
	return fileTypes === undefined || fileTypes.includes(toDifyFileType(file, fileTypes));
}
