/** The files of a task, and how far their upload came. */
import type { BrokenUpload } from '../errors/facts';
import { createInputError } from '../errors/create-error';
import type { FormBody, FormFile, UploadProgress } from '../http/multipart';
import { createFormBody } from '../http/multipart';
import type { JsonRecord } from '../values/records';

export class TaskUpload {
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
