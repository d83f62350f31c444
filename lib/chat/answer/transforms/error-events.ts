import { errorIn } from '../../../errors/error-body';
import { kindOfMessage } from '../../../errors/kind-of-message';
import { isRecord } from '../../../values';
import { notAnObject } from '../../wire/protocol';
import { eachChunk } from '../chunk';

/** Errors with status 200, in all their forms, and events that are no JSON object. */
export const errorEvents = () =>
	eachChunk((chunk) => {
		if (chunk.origin === undefined) return chunk;
		const { event, data, json } = chunk.origin;
		if (isRecord(json)) {
			const error = errorIn(json, event, data);
			return error === undefined ? chunk : { error };
		}
		// Gateways in Go write the error of their client as text: "unexpected EOF".
		if (event === 'error' || kindOfMessage(data) !== undefined) return { error: { message: data } };
		throw notAnObject(data);
	});
