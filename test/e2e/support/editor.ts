import { chromium as playwright, selectors } from 'playwright-core';
import type { Locator, Page } from 'playwright-core';

import type { Login } from '../../../scripts/lib/types';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { chromium } from './playground';
import type { N8nServer } from './playground';

export type { Locator, Page } from 'playwright-core';

/**
 * The part of the window that a screenshot shows.
 *
 * `canvas`: nodes and notes, without the buttons around them. `fields`: the column with an open node's fields. A list: the
 * area of these elements. `of` and `down`: the element from its top to the lowest of the others, without empty space below.
 */
export type PicturePart = 'canvas' | 'fields' | Locator[] | { of: Locator; down: Locator[] };

export interface Editor {
	page: Page;
	/** An element by n8n's `data-test-id`. */
	get(testId: string): Locator;
	/** Opens a saved workflow and waits until its nodes are visible. */
	openWorkflow(id: string): Promise<void>;
	node(name: string): Locator;
	/** Opens the panel of a node on the canvas. */
	openNode(name: string): Promise<void>;
	closeNode(): Promise<void>;
	/** Drags a border or handle, in pixels. */
	drag(handle: Locator, byX: number, byY: number): Promise<void>;
	/** Waits for the icons, and writes a screenshot into the folder of `LOCAL_LLAMA_PICTURES`, if set. Default: the whole window. */
	picture(name: string, part?: PicturePart): Promise<void>;
	close(): Promise<void>;
}

/** n8n's front end starts in 3 s on an idle machine, ten times slower on a busy one. */
const ACTION_TIMEOUT_MS = 180_000;
/** The one of `n8n-client.mjs`. */
const BROWSER_ID = 'n8n-nodes-local-llama';
export const WINDOW = { width: 1280, height: 800 };
/** Not the user agent of headless Chromium: n8n treats its clicks on links as previews of a mail server. */
const USER_AGENT =
	'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
/** Device pixels per CSS pixel in screenshots for the documents, for high-resolution screens. */
const SHARPER = 1.5;

/** The folder of screenshots. None: no screenshot is taken. */
const PICTURES = process.env.LOCAL_LLAMA_PICTURES ?? '';
export const TAKES_PICTURES = PICTURES !== '';
/** In which the suites open the editor. */
const THEME = process.env.EDITOR_THEME === 'dark' ? 'dark' : 'light';

/**
 * n8n's editor in a real browser, logged in as the owner.
 *
 * @param theme default: that of `EDITOR_THEME`
 * @param owner logs in by the form; otherwise the browser takes over the session of `n8n`
 */
export async function openEditor(
	n8n: Pick<N8nServer, 'url'> & Partial<Pick<N8nServer, 'session'>>,
	theme: 'light' | 'dark' = THEME,
	owner?: Login,
): Promise<Editor> {
	const { executablePath, args } = chromium();
	selectors.setTestIdAttribute('data-test-id');
	const browser = await playwright.launch({ executablePath, args, timeout: ACTION_TIMEOUT_MS });
	const context = await browser.newContext({
		viewport: WINDOW,
		userAgent: USER_AGENT,
		deviceScaleFactor: TAKES_PICTURES ? SHARPER : 1,
		colorScheme: theme,
		reducedMotion: 'reduce',
	});
	const page = await context.newPage();
	page.setDefaultTimeout(ACTION_TIMEOUT_MS);
	const get = (testId: string) => page.getByTestId(testId);
	const node = (name: string) =>
		page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`);

	if (owner === undefined) {
		// The session of the tests: n8n accepts five logins per minute, and ties a session to the browser's ID.
		const cookies = (n8n.session?.() ?? '').split('; ').map((cookie) => {
			const [name = '', ...value] = cookie.split('=');
			return { name, value: value.join('='), url: n8n.url };
		});
		await context.addCookies(cookies);
		await page.addInitScript(`localStorage.setItem('n8n-browserId', '${BROWSER_ID}')`);
	} else {
		await page.goto(`${n8n.url}/signin`);
		await page
			.locator('input[name="emailOrLdapLoginId"], input[type="email"]')
			.first()
			.fill(owner.email);
		await page.locator('input[type="password"]').first().fill(owner.password);
		await page.keyboard.press('Enter');
		await page.waitForURL((url) => !url.pathname.includes('signin'));
	}

	return {
		page,
		get,
		node,
		openWorkflow: async (id) => {
			await page.goto(`${n8n.url}/workflow/${id}`);
			await get('canvas-node').first().waitFor();
		},
		openNode: async (name) => {
			await node(name).dblclick();
			await get('node-parameters').waitFor();
		},
		closeNode: async () => {
			await get('ndv-close-button').click();
			await get('node-parameters').waitFor({ state: 'hidden' });
		},
		drag: async (handle, byX, byY) => {
			const { x, y, width, height } = (await handle.boundingBox())!;
			const [fromX, fromY] = [x + width / 2, y + height / 2];
			await page.mouse.move(fromX, fromY);
			await page.mouse.down();
			await page.mouse.move(fromX + byX, fromY + byY, { steps: 4 });
			await page.mouse.up();
		},
		picture: async (name, part) => {
			await iconsDrawn(page);
			if (!TAKES_PICTURES) return;
			// Wait until n8n's notifications disappear, and the minimap after moving the canvas.
			const style = await page.addStyleTag({
				content: '.el-notification, .vue-flow__minimap { visibility: hidden !important; }',
			});
			// Move the pointer away, since hovering shows buttons and highlights borders; drop-down lists take a moment to open.
			await page.mouse.move(WINDOW.width * 0.75, 2);
			await page.waitForTimeout(400);
			const clip = await clipOf(page, part);
			const bytes = await page.screenshot({
				animations: 'disabled',
				caret: 'hide',
				...(clip === undefined ? {} : { clip }),
			});
			await style.evaluate((element: { remove(): void }) => element.remove());
			fs.mkdirSync(path.join(PICTURES, path.dirname(name)), { recursive: true });
			fs.writeFileSync(path.join(PICTURES, `${name}.png`), bytes);
		},
		close: async () => await browser.close(),
	};
}

interface Box {
	x: number;
	y: number;
	width: number;
	height: number;
}

/** Waits for icons, which load after the nodes. */
async function iconsDrawn(page: Page): Promise<void> {
	await page.waitForFunction(`[...document.querySelectorAll('[data-test-id="canvas-node"] .n8n-node-icon')].every((icon) => {
		const image = icon.querySelector('img');
		return image === null ? icon.querySelector('svg > *') !== null : image.complete && image.naturalWidth > 0;
	})`);
}

async function clipOf(page: Page, part: PicturePart | undefined): Promise<Box | undefined> {
	if (part === undefined) return undefined;
	if (part === 'canvas') return await canvasAlone(page);
	if (Array.isArray(part)) return around(await boxesOf(part));
	const fields = page.locator('.node-settings');
	const { of, down } =
		part === 'fields' ? { of: fields, down: [fields.getByTestId('parameter-item')] } : part;
	const whole = (await of.boundingBox())!;
	const last = around(await boxesOf(down));
	return { ...whole, height: last.y + last.height + 24 - whole.y };
}

interface Element {
	getBoundingClientRect(): Box;
	checkVisibility(options: { opacityProperty: boolean; visibilityProperty: boolean }): boolean;
}

async function boxesOf(locators: Locator[]): Promise<Box[]> {
	const visible = (elements: Element[]) =>
		elements
			.filter((element) =>
				element.checkVisibility({ opacityProperty: true, visibilityProperty: true }),
			)
			.map((element) => element.getBoundingClientRect())
			.filter(({ width, height }) => width > 0 && height > 0)
			.map(({ x, y, width, height }) => ({ x, y, width, height }));
	return (
		await Promise.all(locators.map(async (locator) => await locator.evaluateAll(visible)))
	).flat();
}

function around(boxes: Box[], margin = 0): Box {
	const x = Math.min(...boxes.map((box) => box.x)) - margin;
	const y = Math.min(...boxes.map((box) => box.y)) - margin;
	const right = Math.max(...boxes.map((box) => box.x + box.width)) + margin;
	const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + margin;
	return { x, y, width: right - x, height: bottom - y };
}

/** Hides all around the canvas, fits the workflow into it, and returns its area. */
async function canvasAlone(page: Page): Promise<Box> {
	const others = [
		'#header',
		'#sidebar',
		':has(> [data-test-id="logs-panel"])',
		'[data-test-id="canvas-wrapper"] > :not(#canvas)',
		'#canvas > :not([data-test-id="canvas"])',
		'.vue-flow__panel',
		'.vue-flow__node button',
		'[data-test-id="canvas-node-toolbar"]',
	];
	await page.addStyleTag({ content: `${others.join(', ')} { display: none !important; }` });
	await page.waitForFunction(
		"document.querySelector('#canvas').getBoundingClientRect().width === window.innerWidth",
	);
	await page.keyboard.press('1');
	// n8n's animation takes 200 ms.
	await page.waitForTimeout(500);
	return around(
		await boxesOf([page.locator('.vue-flow__node *:not(.vue-flow__resize-control)')]),
		24,
	);
}

/** Whether an element's content is completely visible. */
export async function isWhole(element: Locator): Promise<boolean> {
	return await element.evaluate(
		(shown: {
			scrollWidth: number;
			clientWidth: number;
			scrollHeight: number;
			clientHeight: number;
		}) =>
			// Tolerance of one pixel for rounding.
			shown.scrollWidth <= shown.clientWidth + 1 && shown.scrollHeight <= shown.clientHeight + 1,
	);
}
