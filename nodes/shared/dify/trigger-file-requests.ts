/** The files from the trigger that no field of the node names. */
import { parseAppForm } from '../../../lib/dify/app-form';
import type { FileRules, UploadCandidate } from '../../../lib/dify/allowed-files';
import { selectAllowedFiles } from '../../../lib/dify/allowed-files';
import { fetchAppParameters } from '../../../lib/dify/app';
import { toDifyFileType } from '../../../lib/dify/file-types';
import { uploadFile } from '../../../lib/dify/upload-file';
import type { FileSource } from '../../../lib/http/multipart';
import type { JsonRecord } from '../../../lib/values/records';
import { getErrorMessage } from '../../../lib/values/text';
import type { TriggerFile } from '../../../lib/n8n/trigger-files';
import { createFileSource } from '../../../lib/n8n/binary';
import type { DifyCall } from './dify-operation';
import type { FileRequest } from './file-requests';
import { isFileField } from './form-files';

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
 * Reads the files of a chat message as far as the app accepts them, if the node sends them by itself. What is not sent is a loss
 * of the run: of a chat message each file, else those that the app would accept.
 */
export async function readUnnamedFiles(
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
