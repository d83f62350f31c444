/** Every recorded exchange with a supported model server, from `test/fixtures/`. */
import { asRecords, isRecord } from '../../../lib/values/records';
import { recordedExchanges } from '../../support/files/recorded-exchanges';
import type { RecordedExchange } from '../../support/files/recorded-exchanges';
import { fixture, fixtureNames } from '../../support/servers/streams';
import * as fs from 'node:fs';
import path from 'node:path';
import { objectIn } from './exchange';
import type { Exchange, ServerName } from './exchange';
import { RECORDED_FOLDERS } from './recorded-folders';
import { UNRECORDED_REQUESTS } from './unrecorded-requests';

/** Dify's recordings have a separate suite; TEI's recording only identifies the server. */
const LEFT_OUT = /^dify-|^tei$/;

/** Folders of recorded responses that are neither listed nor excluded. */
export function unknownFolders(): string[] {
	const known = new Set(RECORDED_FOLDERS.map(({ folder }) => folder));
	return fs
		.readdirSync('test/fixtures')
		.filter((folder) => fs.statSync(`test/fixtures/${folder}`).isDirectory())
		.filter((folder) => fixtureNames(folder, '.http').length > 0)
		.filter((folder) => !known.has(folder) && !LEFT_OUT.test(folder));
}

interface Case {
	name: string;
	method?: string;
	path?: string;
	headers?: Record<string, string>;
	body?: unknown;
	rawBody?: string;
	/** Its responses share one file with others. */
	into?: string;
}

export function everyExchange(): Exchange[] {
	const read = { cases: casesOf, raw: rawOf, topics: topicsOf };
	return [
		...RECORDED_FOLDERS.flatMap(({ form, folder, server }) => read[form](folder, server)),
		...ollamaChats(),
	];
}

function casesOf(folder: string, server: ServerName): Exchange[] {
	return casesIn(objectIn(fixture(`${folder}/cases.json`).toString('utf8')))
		.filter(({ into }) => into === undefined)
		.map((one) => exchangeOf(folder, server, one));
}

/** The responses of llama-server are grouped by how it was started. */
function casesIn({ groups, cases }: Record<string, unknown>): Case[] {
	if (groups === undefined) return asRecords(cases) as unknown as Case[];
	return asRecords(groups).flatMap((group) =>
		casesIn(group).map((one) => ({
			...one,
			headers: { ...(group.headers as Record<string, string>), ...one.headers },
		})),
	);
}

function ollamaChats(): Exchange[] {
	const folder = 'ollama-v0.17.4/api-chat';
	const requests = objectIn(fixture(`${folder}/requests.json`).toString('utf8'));
	return Object.entries(requests).map(([name, body]) =>
		exchangeOf(folder, 'ollama', { name, method: 'POST', path: '/api/chat', body }),
	);
}

function rawOf(folder: string, server: ServerName): Exchange[] {
	return fixtureNames(folder, '.http').flatMap((file) => {
		const name = file.slice(folder.length + 1, -'.http'.length);
		const request = UNRECORDED_REQUESTS[`${folder}/${name}`];
		if (request === undefined)
			throw new Error(`${file}: name its request in unrecorded-requests.ts`);
		return [exchangeOf(folder, server, { name, ...request })];
	});
}

function exchangeOf(
	folder: string,
	server: ServerName,
	{ name, method = 'GET', path = '/', headers = {}, body, rawBody = '' }: Case,
): Exchange {
	return {
		file: folder.replaceAll('/', '.'),
		name,
		server,
		request: { method, path, headers, body: isRecord(body) ? body : objectIn(rawBody), parts: [] },
		answer: unframed(fixture(`${folder}/${name}.http`)),
	};
}

/** Some recordings are without the chunks that their header promises: the end of the connection ends them. */
function unframed(answer: Buffer): Buffer {
	const end = answer.indexOf('\r\n\r\n') + 4;
	const hasChunks = /^[0-9a-f]+\r\n/i.test(answer.toString('latin1', end, end + 12));
	if (hasChunks) return answer;
	const head = answer.toString('latin1', 0, end).replace(/\r\ntransfer-encoding: chunked/i, '');
	return Buffer.concat([Buffer.from(head, 'latin1'), answer.subarray(end)]);
}

function topicsOf(folder: string, server: ServerName): Exchange[] {
	return fs
		.readdirSync(`test/fixtures/${folder}`)
		.sort()
		.flatMap((file) => {
			const topic = `${path.basename(folder)}/${path.basename(file, '.json')}`;
			return recordedExchanges(topic)
				.filter(({ ended }) => ended !== 'aborted by client')
				.map((recorded) => ({
					file: `models.${topic.replaceAll('/', '.')}`,
					name: recorded.name,
					server,
					request: requestOf(recorded),
					answer: rawAnswer(recorded),
				}));
		});
}

function requestOf({ method, path, headers = {}, body = '', multipart = [] }: RecordedExchange) {
	return { method, path, headers, body: objectIn(body), parts: multipart };
}

/** The response as bytes. These recordings have no chunk boundaries, so a truncated one gets an unfinished chunk. */
function rawAnswer({ answer, ended }: RecordedExchange): Buffer {
	if (ended === 'no answer') return Buffer.alloc(0);
	const { status, headers, text, base64 = '' } = answer;
	const body = text === undefined ? Buffer.from(base64, 'base64') : Buffer.from(text);
	const keptHeaders = headers.filter(
		([name]) => !/^(transfer-encoding|content-length)$/i.test(name),
	);
	const lines = [
		`HTTP/1.1 ${status} `,
		...keptHeaders.map(([name, value]) => `${name}: ${value}`),
		...framing(ended, body),
	];
	const size = ended === 'broken' ? `${body.byteLength.toString(16)}\r\n` : '';
	return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n${size}`, 'latin1'), body]);
}

function framing(ended: RecordedExchange['ended'], { byteLength }: Buffer): string[] {
	if (ended === undefined) return [`Content-Length: ${byteLength}`];
	return ended === 'broken' ? ['Transfer-Encoding: chunked'] : [];
}
