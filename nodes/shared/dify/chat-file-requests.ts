/** The files of a chat message that no field of the node names. */
import { selectAllowedFiles } from '../../../lib/dify/allowed-files';
import { fetchAppParameters } from '../../../lib/dify/app';
import { uploadFile } from '../../../lib/dify/upload-file';
import type { UnsentFile } from '../../../lib/unsent-files';
import { describeUnsentFiles } from '../../../lib/unsent-files';
import type { FileSource } from '../../../lib/http/multipart';
import { pushAll } from '../../../lib/values/lists';
import { getErrorMessage } from '../../../lib/values/text';
import { createFileSource, getBinaryFileName } from '../../../lib/n8n/binary';
import type { DifyCall } from './dify-operation';
import type { FileRequest } from './file-requests';

/** What is known of the files of a chat message. */
interface ChatFiles {
	/** Their binary fields, without those that a field of the node names. */
	binaryFields: readonly string[];
	/** Whether the field "Files" decides which files are sent. */
	isSelected: boolean;
}

/** Reads the files as far as the app accepts them. A hint names the others. */
export async function readChatFiles(
	call: DifyCall,
	{ binaryFields, isSelected }: ChatFiles,
): Promise<FileRequest[]> {
	if (binaryFields.length === 0) return [];
	const { client, context, itemIndex } = call;
	const files: FileSource[] = [];
	const unsent: UnsentFile[] = [];
	for (const binaryField of binaryFields) {
		const file = await createFileSource(context, itemIndex, binaryField).catch((error: unknown) => {
			unsent.push({ name: getBinaryFileName(call, binaryField), reason: getErrorMessage(error) });
		});
		if (file && isSelected) unsent.push({ name: file.name, reason: 'Files does not select it' });
		else if (file) files.push(file);
	}
	const appParameters = files.length === 0 ? {} : await fetchAppParameters(client);
	const selection = selectAllowedFiles(files, appParameters);
	pushAll(unsent, selection.unsent);
	if (unsent.length > 0) call.hint(describeUnsentFiles(unsent));
	return selection.allowed.map(({ file, type }) => {
		file.warnings?.forEach(call.hint);
		return {
			send: async (user) => ({
				type,
				transfer_method: 'local_file',
				upload_file_id: await uploadFile(client, file, user),
			}),
		};
	});
}
