import { annotationReplyJob, setAnnotationReply } from '../../../../lib/dify/app/annotation-reply';
import { delay } from '../../../support/node';
import { calls, clientOf, failureOf, startApp, UNKNOWN_ID } from '../client';

const wait = { limitMs: 20_000, pauseMs: 1 };
const start = async (annotationJob?: { looks?: number; error?: string }) =>
	await startApp('1.12', { mode: 'chat', annotationJob });

describe('the annotation reply', () => {
	it('D129: is waited for until its job has ended', async () => {
		const sim = await start({ looks: 3 });
		const settings = { embeddingModel: 'bge-m3', embeddingProvider: 'ollama', scoreThreshold: 0.8 };
		expect(await setAnnotationReply(clientOf(sim), 'enable', settings, wait)).toMatchObject({
			status: 'completed',
			enabled: true,
		});
		expect(calls(sim, /\/status\//, 'GET')).toBe(4);
		expect(sim.requests.find(({ method }) => method === 'POST')!.json).toEqual({
			score_threshold: 0.8,
			embedding_provider_name: 'ollama',
			embedding_model_name: 'bge-m3',
		});
	});

	it('sends all three fields also to switch off', async () => {
		const sim = await start();
		expect(await setAnnotationReply(clientOf(sim), 'disable', {}, wait)).toMatchObject({
			enabled: false,
		});
		expect(sim.requests.find(({ method }) => method === 'POST')!.json).toEqual({
			score_threshold: 0.9,
			embedding_provider_name: '',
			embedding_model_name: '',
		});
	});

	it('keeps score and model where nothing else is asked for', async () => {
		const sim = await start();
		const settings = { embeddingModel: 'bge-m3', embeddingProvider: 'ollama', scoreThreshold: 0.8 };
		await setAnnotationReply(clientOf(sim), 'enable', settings, wait);
		await setAnnotationReply(clientOf(sim), 'enable', { scoreThreshold: 0.7 }, wait);
		expect(sim.requests.findLast(({ method }) => method === 'POST')!.json).toEqual({
			score_threshold: 0.7,
			embedding_provider_name: 'ollama',
			embedding_model_name: 'bge-m3',
		});
	});

	it('D130: a job that fails says why', async () => {
		const sim = await start({ error: 'Model nope credentials is not initialized.' });
		const failed = await failureOf(setAnnotationReply(clientOf(sim), 'enable', {}, wait));
		expect([failed.message, failed.serverText]).toEqual([
			'Dify could not change the annotation reply',
			'Model nope credentials is not initialized.',
		]);
	});

	it('D131: a job that is gone has ended; whether as wanted, the app tells', async () => {
		const sim = await start({ looks: 1 });
		const app = sim.app('chat');
		const forget = () => app.annotationJobs.clear();
		const enabling = setAnnotationReply(clientOf(sim), 'enable', {}, { ...wait, pauseMs: 30 });
		while (app.annotationJobs.size === 0) await delay(1);
		forget();
		expect((await failureOf(enabling)).serverText).toBe('The job is gone, and nothing has changed');
		expect(await annotationReplyJob(clientOf(sim), 'enable', UNKNOWN_ID)).toEqual({
			jobId: UNKNOWN_ID,
			status: 'gone',
		});
	});

	it('is not waited for without the option', async () => {
		const sim = await start({ looks: 5 });
		expect(await setAnnotationReply(clientOf(sim), 'enable', {}, { limitMs: 0 })).toMatchObject({
			status: 'waiting',
		});
		expect(calls(sim, /\/status\//, 'GET')).toBe(0);
	});

	it('says that the worker may not run, where a job never ends', async () => {
		const sim = await start({ looks: 1e9 });
		const failed = await failureOf(
			setAnnotationReply(clientOf(sim), 'enable', {}, { limitMs: 50, pauseMs: 5 }),
		);
		expect([failed.kind, failed.remedy]).toEqual([
			'timeout',
			expect.stringContaining('worker of Dify'),
		]);
	});
});
