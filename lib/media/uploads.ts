import { failure, invalidInput } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { FormSent } from '../http/multipart';

/** What a failed request with a form means: the file could not be read, or something in between did not let it through. */
export function uploadFailure(error: unknown, sent: FormSent, connection: Connection, url: string): unknown {
	if (sent.unreadable !== undefined) {
		return invalidInput(
			`"${sent.unreadable.name}" could not be read: ${sent.unreadable.reason}`,
			'Look at the binary data of the item, and at where n8n stores binary data.',
		);
	}
	const isBroken =
		error instanceof ServerError && (error.kind === 'closedBeforeAnswer' || error.kind === 'connectionLost');
	if (!isBroken || sent.bytes === 0) return error;
	return failure(error.kind, connection.contextOf(url), {
		message: `The connection was closed while the file was sent (${sent.bytes} bytes had gone)`,
		remedy:
			'Usually the file is too large for the server or a proxy in front of it (nginx: client_max_body_size), or the server failed over it: look at its log.',
		facts: error.facts,
	});
}
