/** The web application on WebGPU: a software driver in Chromium, so with little to train. And what happens when the device fails. */
import { rmSync } from 'node:fs';
import type { Browser, WebWorker } from 'puppeteer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StaticServer } from '../../tools/static-server.mjs';
import { findBrowser, launchBrowser } from '../support/browser';
import { App, someExamples } from './support/app';
import { buildSite, serveSite } from './support/site';

const chromium = findBrowser('chrome', 'the web application on WebGPU');

/** A software driver takes its time, above all for the check of all kernels. */
const PATIENCE = 240_000;
const SETTINGS = { epochs: 3, batchSize: 8 };
const TEXT = 'The alarm is ringing and there is smoke in the kitchen!';

/** In front of the worker's script: remembers its devices, so that a test can destroy one behind its back. */
const REMEMBER_DEVICES = `
globalThis.devices = [];
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (...options) {
  const device = await requestDevice.apply(this, options);
  devices.push(device);
  return device;
};
`;

/** The other way to be broken: a driver that compiles one factor of GELU's derivative wrongly (1/√(2π) in lib/activation.wgsl). */
const MISCOMPILE = `
const { createShaderModule } = GPUDevice.prototype;
GPUDevice.prototype.createShaderModule = function (descriptor) {
  return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replaceAll('0.3989422804', '0.7') });
};
`;

describe.skipIf(chromium === undefined)(
  'the web application in Chromium, on WebGPU',
  { timeout: 300_000 },
  () => {
    let directory = '';
    let server: StaticServer;
    let browser: Browser;
    let app: App;

    beforeAll(async () => {
      directory = buildSite();
      server = await serveSite(directory, { prelude: REMEMBER_DEVICES });
      browser = await launchBrowser('chrome', chromium ?? '');
      app = await App.open(browser, server.url, PATIENCE);
    });

    beforeEach(({ onTestFailed }) => onTestFailed(() => app?.shoot('failure-webgpu')));

    afterAll(async () => {
      await browser?.close();
      await server?.close();
      if (directory !== '') rmSync(directory, { recursive: true });
    });

    async function engineOf({ page }: App): Promise<WebWorker> {
      for (const worker of page.workers()) {
        if (await worker.evaluate("'devices' in globalThis")) return worker;
      }
      throw new Error('the page has no engine');
    }

    it('checks the device, and tells how far it is', async () => {
      await app.page.select('#device-choice', 'webgpu');
      await app.matches('#device-name', '^Checking its kernels: \\d+ of \\d+$');
      await app.matches('#device-name', '^GPU: ');
      await app.ready();
    });

    it('trains two tasks, and switches between them', async () => {
      await app.newTask('How urgent', someExamples('requests', 8));
      await app.startTraining(SETTINGS);
      await app.trained();
      expect(await app.text('#result-lead')).toMatch(/ on .*SwiftShader/i);
      const urgency = await app.predict(TEXT);
      await app.newTask('Liked it', someExamples('reviews', 6));
      await app.startTraining({ epochs: 1, batchSize: 4 });
      await app.trained();
      expect(Object.keys((await app.prediction()).scores).sort()).toEqual(['negative', 'positive']);
      await app.choose('How urgent');
      expect(await app.prediction()).toEqual(urgency);
    });

    it('trains to the same result where the device is lost in between', async () => {
      await app.choose('How urgent');
      const undisturbed = await app.predict(TEXT);
      await app.startTraining(SETTINGS);
      await app.reached(3);
      const engine = await engineOf(app);
      expect(await engine.evaluate('devices.length')).toBeGreaterThan(0);
      await engine.evaluate('devices.forEach((device) => device.destroy())');
      await app.trained();
      const { scores } = await app.predict(TEXT);
      for (const [label, score] of Object.entries(undisturbed.scores)) {
        // In percent, shown with one digit. On another device sums are in another order: f32's rounding, over nine steps.
        expect(Math.abs((scores[label] ?? 0) - score)).toBeLessThanOrEqual(0.2);
      }
    });

    it('finds a kernel that computes a wrong gradient, and lets the CPU compute', async () => {
      // Another origin: what a device's check came to is remembered.
      const brokenServer = await serveSite(directory, { prelude: MISCOMPILE });
      const broken = await App.open(browser, brokenServer.url, PATIENCE);
      await broken.page.select('#device-choice', 'webgpu');
      await broken.page.waitForSelector('#device-note:not([hidden])');
      expect(await broken.text('#device-note')).toMatch(/wrong/);
      expect(await broken.text('#device-name')).toMatch(/^CPU: /);
      await broken.shoot('wrong-gradient');
      await broken.ready();
      await broken.newTask('How urgent', someExamples('requests', 8));
      await broken.startTraining(SETTINGS);
      await broken.trained();
      expect(await broken.text('#result-lead')).toMatch(/ on CPU/);
      await broken.page.close();
      await brokenServer.close();
    });
  },
);
