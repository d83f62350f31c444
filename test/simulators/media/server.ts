import { readForm } from '../dify/multipart';
import type { Upload } from '../dify/types';
import { sendReply, startHttpServer } from '../http-server';
import type { HeaderList, Transport, WireReply, WireRequest } from '../http-server';

/** Common interface of the simulators for images and audio. */
export interface MediaSim {
	/** Without a path. */
	readonly url: string;
	/** All requests, in order of arrival. */
	readonly requests: readonly WireRequest[];
	/** Fields and files of multipart requests. */
	readonly forms: readonly Upload[];
	/** Replaces the answer of one route. */
	route(methodAndPath: string, reply: WireReply): void;
	close(): Promise<void>;
}

export interface MediaRequest {
	request: WireRequest;
	/** Fields of a multipart form. */
	form: Upload;
	/** Fields of a JSON body. */
	json: Record<string, unknown>;
}

/** The answers by method and path: `POST /v1/audio/speech`. */
export type MediaRoutes = Record<string, (request: MediaRequest) => WireReply>;

/** FastAPI's answer for an unknown path. */
const noSuchPath = (): WireReply => jsonReply({ detail: 'Not Found' }, 404);

/** @param otherwise answers requests to other paths */
export const startMediaServer = async (
	routes: MediaRoutes,
	otherwise: MediaRoutes[string] = noSuchPath,
): Promise<MediaSim> => {
	const answers = new Map(Object.entries(routes));
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
			const answer = answers.get(`${request.method} ${request.path}`) ?? otherwise;
			await sendReply(exchange, answer({ request, form, json }));
		},
	});
	return {
		url: http.url,
		requests: http.requests,
		forms,
		route: (methodAndPath, reply) => void answers.set(methodAndPath, () => reply),
		close: http.close,
	};
};

export const jsonReply = (body: unknown, status = 200, headers: HeaderList = []): WireReply => ({
	status,
	headers: [['content-type', 'application/json'], ...headers],
	body: JSON.stringify(body),
});

/** The list of models in OpenAI's API. */
export const modelsReply = (...models: Array<{ id: string; owned_by: string; task?: string }>) =>
	jsonReply({ object: 'list', data: models.map((model) => ({ object: 'model', ...model })) });

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
