/** Simulates sd-server of stable-diffusion.cpp 97d2990 after its source (examples/server): OpenAI's routes, and its own jobs. */
import type { WireReply } from '../wire-reply';
import { fileIn, jsonReply, startMediaServer, type MediaRequest, type MediaSim } from './server';

export interface SdServerOptions {
	/** Without the routes for jobs, like older versions. */
	withoutJobs?: boolean;
	/** How a job ends. Default: `completed`. */
	ends?: 'completed' | 'failed';
	/** How many pictures a job makes. Default: as requested. */
	makes?: number;
}

export interface SdJob {
	id: string;
	status: 'queued' | 'generating' | 'completed' | 'failed' | 'cancelled';
	body: Record<string, unknown>;
	polls: number;
}

export interface SdServerSim extends MediaSim {
	readonly jobs: SdJob[];
	/** While true, jobs make no progress. */
	hold: boolean;
}

/** A picture of one pixel. */
export const PNG =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const CREATED = 1775401200;

export const startSdServerSim = async (options: SdServerOptions = {}): Promise<SdServerSim> => {
	const jobs: SdJob[] = [];
	const state = { hold: false };
	const refused = (error: string, status = 400): WireReply => jsonReply({ error }, status);

	const images = (count: number) =>
		Array.from({ length: options.makes ?? count }, () => ({ b64_json: PNG }));
	const openAi = ({ json, form }: MediaRequest, isEdit: boolean): WireReply => {
		const given: Record<string, unknown> = isEdit ? form.fields : json;
		if (typeof given.prompt !== 'string' || given.prompt === '') return refused('prompt required');
		if (isEdit && fileIn(form, 'image[]') === undefined && fileIn(form, 'image') === undefined)
			return refused('at least one image[] required');
		return jsonReply({
			created: CREATED,
			data: images(Number(given.n ?? 1)),
			output_format: 'png',
		});
	};
	const shown = (job: SdJob) => ({
		id: job.id,
		kind: 'img_gen',
		status: job.status,
		created: CREATED,
		started: job.status === 'queued' || job.status === 'cancelled' ? null : CREATED + 3,
		completed: job.status === 'completed' || job.status === 'failed' ? CREATED + 15 : null,
		queue_position: job.status === 'queued' ? 2 : 0,
		result:
			job.status === 'completed'
				? {
						output_format: 'png',
						images: images(Number(job.body.batch_count ?? 1)).map((one, index) => ({
							index,
							...one,
						})),
					}
				: null,
		error:
			job.status === 'failed'
				? { code: 'generation_failed', message: 'generate_image returned no results' }
				: job.status === 'cancelled'
					? { code: 'cancelled', message: 'job cancelled by client' }
					: null,
	});
	const poll = (job: SdJob): WireReply => {
		job.polls++;
		if (!state.hold && job.status === 'generating') job.status = options.ends ?? 'completed';
		if (!state.hold && job.status === 'queued') job.status = 'generating';
		return jsonReply(shown(job));
	};
	const cancel = (job: SdJob): WireReply => {
		if (job.status === 'generating')
			return refused('job is currently generating and cannot be interrupted yet', 409);
		if (job.status === 'queued') job.status = 'cancelled';
		return jsonReply(shown(job));
	};

	const sim = await startMediaServer((asked) => {
		const { method, path } = asked.request;
		if (method === 'GET' && path === '/v1/models')
			return jsonReply({ data: [{ id: 'sd-cpp-local', object: 'model', owned_by: 'local' }] });
		if (method === 'POST' && path === '/v1/images/generations') return openAi(asked, false);
		if (method === 'POST' && path === '/v1/images/edits') return openAi(asked, true);
		if (options.withoutJobs !== true && path.startsWith('/sdcpp/v1/')) {
			if (method === 'POST' && path === '/sdcpp/v1/img_gen') {
				const job: SdJob = {
					id: `job_69f_0000000${jobs.length + 1}`,
					status: 'queued',
					body: asked.json,
					polls: 0,
				};
				jobs.push(job);
				return jsonReply(
					{
						id: job.id,
						kind: 'img_gen',
						status: 'queued',
						created: CREATED,
						poll_url: `/sdcpp/v1/jobs/${job.id}`,
					},
					202,
				);
			}
			const job = jobs.find(({ id }) => path.startsWith(`/sdcpp/v1/jobs/${id}`));
			if (job === undefined) return refused('job not found', 404);
			return method === 'POST' ? cancel(job) : poll(job);
		}
		return { status: 404, headers: [['Content-Length', '*']], body: '' };
	});
	return {
		...sim,
		jobs,
		get hold() {
			return state.hold;
		},
		set hold(value: boolean) {
			state.hold = value;
		},
	};
};
