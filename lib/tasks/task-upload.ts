/** The file of a task, and the errors of its upload. */
import { createInputError } from '../errors/create-error';
import { ServerError } from '../errors/server-error';
import type { FileSource, FormBody, UploadProgress } from '../http/multipart';
import { createFormBody } from '../http/multipart';
import type { JsonRecord } from '../values/records';

/** Bytes: nginx accepts as much by default, and no proxy less. */
const SMALLEST_BODY_LIMIT = 1_000_000;

const OF_SMALL_FILE =
	'The server may have no such endpoint, or have failed on the file: check its log, and whether it supports this task.';
const OF_LARGE_FILE =
	'The usual cause is a file that is too large for the server or a proxy in front of it (nginx: client_max_body_size). The server may also have no such endpoint, or have failed on the file: check its log.';

export class TaskUpload {
	/** How much of the last form was sent, since only its attempt can have caused the error. */
	private sent: UploadProgress | undefined;

	constructor(private readonly file: FileSource) {}

	/** A form for one attempt. It reads the file from its beginning. */
	createForm(fields: JsonRecord): FormBody {
		const form = createFormBody(fields, this.file);
		this.sent = form.sent;
		return form;
	}

	/** Explains a failed upload: the file could not be read, or the server or a proxy closed the connection. */
	explain(error: unknown): unknown {
		const { unreadable, bytes = 0 } = this.sent ?? {};
		if (unreadable)
			return createInputError(
				`"${unreadable.name}" could not be read: ${unreadable.reason}`,
				'Check the binary data of the item and the binary data storage of n8n.',
			);
		const isClosed = error instanceof ServerError && error.type === 'closedBeforeResponse';
		if (!isClosed || bytes === 0) return error;
		return error.copyWith({
			title: `The connection was closed during the file upload (${bytes} bytes sent)`,
			suggestion: this.file.size < SMALLEST_BODY_LIMIT ? OF_SMALL_FILE : OF_LARGE_FILE,
		});
	}
}
