import { setTimeout as delay } from 'node:timers/promises';
import { readForm } from '../dify/multipart';
import type { Upload, UploadPart } from '../dify/types';
import {
	sendReply,
	startHttpServer,
	type HeaderList,
	type Transport,
	type WireReply,
	type WireRequest,
} from '../http-server';

/** Common interface of the simulators for images and audio. */
export interface MediaSim {
	/** Without a path. */
	readonly url: string;
	/** All requests, in order of arrival. */
	readonly requests: readonly WireRequest[];
	readonly connections: { readonly open: number };
	/** Fields and files of multipart requests. */
	readonly forms: readonly Upload[];
	/** Replaces the answer of one route. */
	route(methodAndPath: string, reply: WireReply | undefined): void;
	/** Resolves when the condition holds; fails after 30 s. */
	until(condition: () => boolean): Promise<void>;
	close(): Promise<void>;
}

export interface MediaRequest {
	request: WireRequest;
	/** Fields of a multipart form. */
	form: Upload;
	/** Fields of a JSON body. */
	json: Record<string, unknown>;
}

export type MediaHandler = (request: MediaRequest) => WireReply | Promise<WireReply>;

/** @param handle answers requests without a replaced route */
export const startMediaServer = async (handle: MediaHandler): Promise<MediaSim> => {
	const routes = new Map<string, WireReply>();
	const forms: Upload[] = [];
	const http = await startHttpServer({
		handle: async (exchange) => {
			const { request } = exchange;
			const type = request.headers['content-type'] ?? '';
			const form = (await readForm(type, request.bytes)) ?? { fields: {}, parts: [] };
			if (form.parts.length > 0 || Object.keys(form.fields).length > 0) forms.push(form);
			const json = (
				typeof request.body === 'object' && request.body !== null ? request.body : {}
			) as MediaRequest['json'];
			const scripted = routes.get(`${request.method} ${request.path}`);
			const reply = scripted ?? (await handle({ request, form, json }));
			await sendReply(exchange, reply);
		},
	});
	return {
		url: http.url,
		requests: http.requests,
		connections: http,
		forms,
		route: (methodAndPath, reply) => {
			if (reply === undefined) routes.delete(methodAndPath);
			else routes.set(methodAndPath, reply);
		},
		until: async (condition) => {
			const end = Date.now() + 30_000;
			while (!condition()) {
				if (Date.now() > end) throw new Error('The condition did not come true within 30 s');
				await delay(1);
			}
		},
		close: async () => await http.close(),
	};
};

export const fileIn = ({ parts }: Upload, name = 'file'): UploadPart | undefined =>
	parts.find((part) => part.name === name && part.filename !== undefined);

export const jsonReply = (body: unknown, status = 200, headers: HeaderList = []): WireReply => ({
	status,
	headers: [['content-type', 'application/json'], ...headers],
	body: JSON.stringify(body),
});

/** FastAPI's answer for an unknown path. */
export const noSuchPath = (): WireReply => jsonReply({ detail: 'Not Found' }, 404);

/** A file that is sent in pieces, as during its generation. */
export const bytesReply = (
	type: string,
	pieces: readonly Uint8Array[],
	transport: Transport = {},
): WireReply => ({
	status: 200,
	headers: [['content-type', type]],
	body: pieces.map((piece) => Buffer.from(piece)),
	transport,
});
