import { type RawAnswer, rawAsk } from '../../support/raw-http-client';
import type { RecordedExchange, RecordedPart } from './exchange';

const BOUNDARY = '----recorder7f3a';

const partOf = ({ name, value, filename, type, bytes = 0 }: RecordedPart): string => {
	const file = filename === undefined ? '' : `; filename="${filename}"`;
	const mime = type === undefined ? '' : `\r\nContent-Type: ${type}`;
	const content = filename === undefined ? (value ?? '') : 'x'.repeat(bytes);
	return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}${mime}\r\n\r\n${content}\r\n`;
};

/** Sends a recorded request to a simulator; all were recorded with `Connection: keep-alive`. */
export const send = async (url: string, recorded: RecordedExchange): Promise<RawAnswer> => {
	const { method, path, headers, multipart } = recorded;
	const body =
		multipart === undefined
			? recorded.body
			: `${multipart.map(partOf).join('')}--${BOUNDARY}--\r\n`;
	return await rawAsk(url, {
		method,
		path,
		headers: { Connection: 'keep-alive', ...headers },
		body,
	});
};
